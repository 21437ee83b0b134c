using System.Collections.Immutable;
using Common.Alerts;
using Common.Alerts.Policy;

namespace Common.Logins.Recording;

/// <summary>Which of the two hosts is logged in to.</summary>
internal enum LoginHost
{
    Unknown = 0,
    Bastion = 1,
    Inside = 2,
}

/// <summary>Who is told of a login: of one machine, or of one site of several that share it.</summary>
/// <param name="Site">First word of the message.</param>
internal sealed record Audience(string Site, string? Vm, ImmutableArray<Route> Routes);

/// <summary>Who we are and what is known of keys, for judging logins.</summary>
/// <param name="Vm">The bastion's name in the provider's app; null: not known.</param>
/// <param name="OwnAccount">In a private set-up: our own user name.</param>
/// <param name="Boot">Of the machine.</param>
internal sealed record LoginScene(string Site, string? Vm, ImmutableArray<Identity> Identities, string? OwnAccount, string Boot, ImmutableArray<Route> Routes)
{
    public LoginHost Host { get; init; } = LoginHost.Bastion;

    /// <summary>Whom a login by this account and key concerns (fingerprint; null: no key); where it answers null, everybody of this scene.</summary>
    public Func<string, string?, Audience?>? AudienceOf { get; init; }

    /// <summary>Logins that are not pushed.</summary>
    public ImmutableArray<AllowEntry> Allow { get; init; } = [];

    /// <summary>The PAM hook is installed here: a login that it does not see is remarkable.</summary>
    public bool HookExpected { get; init; }

    /// <summary>In the names of alerts: a login here is none there.</summary>
    public string Place => Host == LoginHost.Inside ? "inside" : "bastion";

    /// <summary>The command that shows the record.</summary>
    public string Program => Host == LoginHost.Inside ? "internalhost" : "bastion";

    /// <summary>As a text begins.</summary>
    public string Speaker => Host == LoginHost.Inside ? Site : $"{Site} bastion";

    public Audience For(string user, string? fingerprint) => AudienceOf?.Invoke(user, fingerprint) ?? new Audience(Site, Vm, Routes);

    /// <summary>Null: a key in no list.</summary>
    public Identity? OwnerOf(PublicKey? key) => key is null ? null : Identities.FirstOrDefault(i => i.Fingerprint == key.Fingerprint);
}
