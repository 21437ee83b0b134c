using System.Collections.Immutable;
using System.Net;
using Bastion.Host;

namespace Bastion.Audit;

/// <summary>What an account is for; the same keyword is right for one and wrong for another.</summary>
internal enum AccountRole
{
    /// <summary>Anybody else on this host, root too.</summary>
    Stranger = 0,
    Person = 1,
    Site = 2,
    Sync = 3,
    Maintenance = 4,
}

/// <summary>What sshd itself says that it would do for one account from one address (<c>sshd -T -C</c>).</summary>
/// <param name="Keywords">In small letters, each with all its values in order.</param>
internal sealed record EffectiveSshd(AccountRole Role, string Account, string From, ImmutableDictionary<string, ImmutableArray<string>> Keywords)
{
    public string Who => $"{Account} from {From}";

    /// <summary>The first value; "" where sshd does not know the keyword.</summary>
    public string this[string keyword] => Keywords.TryGetValue(keyword, out var values) ? values[0] : "";

    public ImmutableArray<string> All(string keyword) => Keywords.GetValueOrDefault(keyword, []);
}

/// <param name="Line">One line of a keys file that is neither empty nor a comment.</param>
internal sealed record KeyLine(string Account, string File, string Line);

/// <param name="Fixed">The version that closed the newest known hole.</param>
internal sealed record PackageState(string Name, string Installed, string Fixed, bool IsOlder);

/// <summary>Everything the checks look at. Null: could not be found out, and a check that needs it says so.</summary>
/// <param name="Files">Text and modes, by path; what is not in it is not there.</param>
/// <param name="AptConfiguration"><c>apt-config dump</c>; null: no apt.</param>
/// <param name="Firewall"><c>nft -s list ruleset</c>.</param>
/// <param name="Listening">Every listening TCP socket.</param>
/// <param name="Synchronised">Does the kernel say that its clock is?</param>
/// <param name="LastUpgrade">How long ago the last unattended upgrade succeeded, and how long the machine has been up since boot.</param>
/// <param name="Pending">The agent's alerts that wait to be delivered; null: it does not answer.</param>
/// <param name="Canary">What was seen at the log's far end; null: not asked.</param>
internal sealed record AuditFacts(
    HostSettings Settings,
    OpenSshVersion OpenSsh,
    ImmutableArray<EffectiveSshd>? Sshd,
    string? SshdProblem,
    ImmutableDictionary<string, FileFact> Files,
    ImmutableDictionary<string, string> Users,
    ImmutableDictionary<string, ImmutableArray<string>> GroupMembers,
    ImmutableArray<KeyLine> Keys,
    IReadOnlyList<ListeningSocket>? Listening,
    string? Firewall,
    string? AptConfiguration,
    bool? Synchronised,
    TimeSpan? SinceUpgrade,
    TimeSpan Uptime,
    bool RebootPending,
    ImmutableArray<PackageState> Packages,
    bool? SsmAgent,
    int? Pending,
    bool? Canary,
    DateOnly Today)
{
    /// <summary>nftables.service is enabled.</summary>
    public bool FirewallAtBoot { get; init; } = true;

    public string? Text(string path) => Files.GetValueOrDefault(path)?.Text;

    /// <summary>What sshd answered; nothing where it did not.</summary>
    public IEnumerable<EffectiveSshd> Cases => Sshd ?? [];

    /// <summary>The cases of accounts that are for this.</summary>
    public IEnumerable<EffectiveSshd> Of(params AccountRole[] roles) => Cases.Where(s => roles.Contains(s.Role));
}
