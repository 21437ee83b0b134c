using System.Collections.Immutable;
using Common.Alerts.Policy;

namespace Common.Logins;

/// <summary>Whose key it is. Keys, not accounts: where one uid serves everybody the account says nothing.</summary>
internal sealed record Identity(string Fingerprint, LoginRole Role, string Name, string? Device = null)
{
    /// <summary>Of a site: where its uplinks are seen from. Empty: not known.</summary>
    public ImmutableArray<Cidr> Networks { get; init; } = [];
}

/// <summary>Stored: numbers are fixed.</summary>
internal enum LoginRole
{
    /// <summary>A key that is in no list.</summary>
    Unknown = 0,
    Person = 1,

    /// <summary>A site's own tunnel.</summary>
    Site = 2,
    Maintenance = 3,
}
