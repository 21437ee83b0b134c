using System.Collections.Immutable;

namespace Bastion.Host;

/// <summary>One thing to change on the host. A plan holds only what is not so already.</summary>
internal abstract record Change
{
    private Change()
    {
    }

    /// <summary>What a person reads, one line.</summary>
    public abstract string Title { get; }

    public sealed record MakeGroup(string Name) : Change
    {
        public override string Title => $"group {Name}";
    }

    public sealed record MakeUser(string Name, string Group, string Home, string Shell) : Change
    {
        public override string Title => $"account {Name} (group {Group}, {Shell})";
    }

    /// <param name="Existed">It is there, with another mode or owner.</param>
    public sealed record MakeDirectory(string Path, int Mode, string Owner, string Group, bool Existed = false) : Change
    {
        public override string Title => $"folder {Path} {Convert.ToString(Mode, 8)} {Owner}:{Group}";
    }

    /// <param name="Before">Null: it is not there.</param>
    /// <param name="After">Null: it goes.</param>
    public sealed record PutFile(string Path, string? Before, string? After, int Mode) : Change
    {
        public override string Title => After is null ? $"remove {Path}" : Before is null ? $"new file {Path}" : $"file {Path}";
    }

    public sealed record RemoveUser(string Name) : Change
    {
        public override string Title => $"remove account {Name}";
    }

    public sealed record RemoveGroup(string Name) : Change
    {
        public override string Title => $"remove group {Name}";
    }

    public sealed record RemoveDirectory(string Path) : Change
    {
        public override string Title => $"remove folder {Path}, with what is in it";
    }

    /// <param name="Undo">Takes it back; empty: nothing to take back.</param>
    public sealed record Run(ImmutableArray<string> Command, ImmutableArray<string> Undo) : Change
    {
        public override string Title => $"run {string.Join(' ', Command)}";
    }
}

/// <param name="Text">Null: a folder.</param>
/// <param name="Mode">Permission bits.</param>
internal sealed record FileFact(string? Text, int Mode, string Owner, string Group);

/// <summary>What is there now.</summary>
/// <param name="Users">Each with the name of its primary group.</param>
/// <param name="Files">Those of <see cref="HostPlan.Paths"/> that are there.</param>
/// <param name="Live">The running machine, not a folder that will become one: services are told.</param>
/// <param name="Systemd">It is the first process.</param>
/// <param name="SocketActivated">ssh.socket listens in sshd's place (Ubuntu): Port in sshd's configuration may be ignored.</param>
/// <param name="FirewallLoaded">The kernel has our table.</param>
/// <param name="FirewallAtBoot">nftables.service is enabled.</param>
/// <param name="BundleSocket">Whether it listens for bundles; null: no such unit here.</param>
internal sealed record HostFacts(
    OpenSshVersion OpenSsh,
    ImmutableDictionary<string, string> Users,
    ImmutableHashSet<string> Groups,
    ImmutableDictionary<string, FileFact> Files,
    bool Live,
    bool Systemd,
    bool SocketActivated,
    bool FirewallLoaded,
    bool FirewallAtBoot,
    bool? BundleSocket = null)
{
    public string? Text(string path) => Files.GetValueOrDefault(path)?.Text;
}
