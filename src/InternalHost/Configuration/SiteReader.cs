using System.Collections.Immutable;
using System.Text;
using Common;
using Common.Alerts.Policy;
using Common.Configuration;
using static Common.Configuration.PersonalValues;

namespace InternalHost.Configuration;

/// <summary>What the file says, before the files that it names are looked at.</summary>
/// <param name="Options">Host keys may still be paths, the secret still a name: <see cref="SiteFiles"/> resolves both.</param>
internal sealed record SiteDraft(SiteOptions Options, string SecretsDirectory, ImmutableDictionary<string, int> PortMemory);

/// <summary>The tree of <c>internalhost.yaml</c> to options. Pure: all mistakes go to the list, and a draft with mistakes is not used.</summary>
[PureCore]
internal static class SiteReader
{
    /// <summary>ssh appends 17 characters to a control path and sun_path holds 108; a run's socket must fit.</summary>
    private const int LongestRuntimeDirectory = 60;

    private const long LeastRecord = 100_000;
    private const long MostRecord = 1_000_000_000;

    public static SiteDraft Read(ConfigurationNode.Map file, IReadOnlyDictionary<string, int> remembered, ConfigurationErrors errors)
    {
        var root = new ConfigurationSection("", file, errors);
        var site = root.Need("site", Site, "a short name for this place, such as home") ?? "";
        var runtime = root.Get("runtime_directory", RuntimePath, SiteDefaults.RuntimeDirectory);
        var (primary, backup) = UplinkReader.Read(root.Section("uplinks"));
        var bastion = BastionReader.Read(root.Section("bastion"), site, runtime);
        var (services, memory) = ServiceReader.Read(root.Section("services"), bastion, remembered);
        var people = PeopleReader.Read(root, services, bastion.SyncUser is not null);
        var options = new SiteOptions(
            site,
            root.Get("state_directory", FullPath, SiteDefaults.StateDirectory),
            runtime,
            primary,
            backup,
            WitnessReader.Read(root.Section("witnesses")),
            OutageReader.Read(root.Section("outage")),
            bastion,
            services,
            people,
            MessageReader.Read(root.Section("messages"), site, people));
        options = options with
        {
            InnerHostKeyFiles = root.List("inner_host_keys", FullPath, options.InnerHostKeyFiles),
            RecordBytes = root.Get("record", Record, options.RecordBytes),
            Allow = root.Has("allow") ? AllowListReader.Read(file.At("allow"), "allow", errors, Fingerprint, privateToo: true) : [],
            Logins = LoginReader.Read(root.Section("logins")),
        };
        var secrets = root.Get("secrets_directory", FullPath, SiteDefaults.SecretsDirectory);
        root.Close();
        return new SiteDraft(options, secrets, memory);
    }

    public static Reading<string> FullPath(string text) =>
        text.StartsWith('/') && !text.Contains('\0') && !text.Split('/').Contains("..") ? text.Length > 1 ? text.TrimEnd('/') : text
            : Reading.Bad("must be a full path, beginning with /");

    private static Reading<string> RuntimePath(string text) =>
        FullPath(text) is { Problem: null } path && Encoding.UTF8.GetByteCount(path.Value!) > LongestRuntimeDirectory
            ? Reading.Bad($"must be at most {LongestRuntimeDirectory} bytes long: sockets live below it, and the system limits their path")
            : FullPath(text);

    private static Reading<long> Record(string text) => text is "no" or "false" ? 0
        : Quantities.Bytes(text) is { Problem: null } size ? size.Value is >= LeastRecord and <= MostRecord ? size : Reading.Bad("must be between 100 kB and 1 GB, or no")
        : Reading.Bad("must be a size such as 16 MB, or no");

    public static Func<string, Reading<T>> Choice<T>(params (string Word, T Value)[] choices) => text =>
        choices.FirstOrDefault(c => c.Word == text) is { Word: not null } found
            ? found.Value
            : Reading.Bad($"must be one of {string.Join(", ", choices.Select(c => c.Word))}"
                + (DidYouMean.Nearest(text, choices.Select(c => c.Word)) is { } near ? $": did you mean {near}?" : ""));

    public static readonly Func<string, Reading<bool>> YesNo = Choice(("yes", true), ("no", false), ("true", true), ("false", false));

    /// <summary>A name is short and plain; a token is neither.</summary>
    public static Reading<string> SecretName(string text) =>
        Name(40)(text).Problem is null && !Masking.LooksSecret(text)
            ? text
            : Reading.Bad("must be the name of a secret, not the secret itself: keep that in a file of its own (a name is small letters, digits, _ and -)");
}
