using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Common.Configuration;
using Common.Hosting;
using Common.Processes;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Local;
using InternalHost.Cloud.Making;
using InternalHost.Configuration;
using InternalHost.Pins;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;

namespace InternalHost.Cli;

/// <summary>Everything that a making needs, put together out of the configuration and what was typed.</summary>
internal sealed class CloudMakingDesk : IDisposable
{
    /// <summary>Below the state directory: notes, lock, files of one connection.</summary>
    private const string FolderName = "cloud";

    /// <summary>Of internalhost.service.</summary>
    private const string ServiceUser = "internalhost";

    private readonly List<IDisposable> _own = [];
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly MakingPatience _patience = new();
    private readonly SiteOptions _site;
    private readonly MakingFiles _files;
    private readonly CloudMakingOrder _order;
    private readonly InvocationConfiguration _io;
    private readonly string _maintenanceKeyFile;
    private readonly SetupSsh _shell;

    private CloudMakingDesk(SiteOptions site, MakingFiles files, CloudMakingOrder order, string maintenanceKeyFile, string maintenanceKey, InvocationConfiguration io)
    {
        (_site, _files, _order, _maintenanceKeyFile, _io) = (site, files, order, maintenanceKeyFile, io);
        var api = site.Bastion.Api!;
        Provider = site.Bastion.Cloud == CloudKind.Ec2 ? "ec2" : "digitalocean";
        Wish = new MakingWish(site.Site, api.Region, api.Sizes, site.Bastion.Ports, maintenanceKey);
        var folder = Path.Combine(site.StateDirectory, FolderName);
        _shell = new SetupSsh(_launcher, maintenanceKeyFile, folder, _patience, TimeProvider.System);
        Cloud = site.Bastion.Cloud == CloudKind.Ec2 ? Ec2(api) : Droplets(api, folder);
        _own.Add(StateLock.Take(folder));   // after all that can fail: who fails holds nothing
        try
        {
            Journal = MakingJournal.Open(folder, new MakingNotes(Provider, Wish.Site, Wish.Region));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Provider { get; }

    public MakingWish Wish { get; }

    public MakingJournal Journal { get; }

    public IMakerCloud Cloud { get; }

    /// <returns>Null: it cannot be; the reasons are told.</returns>
    public static async Task<CloudMakingDesk?> OpenAsync(CloudMakingOrder order, InvocationConfiguration io, CancellationToken ct)
    {
        var (reading, files) = SiteConfiguration.LoadForMaking(order.ConfigFile);
        if (reading.Options is not { } site)
        {
            return await RefuseAsync(io, [.. reading.Errors.Select(e => e.ToLine())]);
        }

        if (site.Bastion.Cloud is not (CloudKind.Ec2 or CloudKind.DigitalOcean))
        {
            return await RefuseAsync(io, $"internalhost: machines are made at EC2 and DigitalOcean, and bastion.cloud is {site.Bastion.Cloud.ToString().ToLowerInvariant()}");
        }

        if (files.HostKeys is null)
        {
            return await RefuseAsync(io, "internalhost: bastion.host_keys must name a file, into which the new machine's key is written: host_keys: /etc/internalhost/keys/bastion_host.pub");
        }

        var keyFile = order.MaintenanceKey is { } named ? Path.GetFullPath(named) : Path.Combine(Path.GetDirectoryName(site.Bastion.KeyFile)!, "maintenance");
        var (key, problem) = await MaintenanceKeyAsync(keyFile, order, ct);
        return problem is null ? new CloudMakingDesk(site, files, order, keyFile, key, io) : await RefuseAsync(io, $"internalhost: {problem}");
    }

    public Maker Maker(MakingHands hands) => new(Cloud, Journal, hands, _patience, TimeProvider.System, Tell);

    /// <summary>What is needed here is looked for before anything is made there.</summary>
    public async Task<MakingHands> HandsAsync(string? package, CancellationToken ct)
    {
        if (Journal.Notes.FinishedAt is not null)
        {
            return MakingHands.None;
        }

        CheckWritable(_files.HostKeys!);
        if (_files.Secret is { } secret && Provider == "ec2")
        {
            CheckWritable(secret);
        }

        var setup = new MachineSetup(_shell, Wish, _site.Bastion.FirstForwardPort, await SiteKeyAsync(ct), PackageFile.Find(package), Cloud.FirstAccount, line => Tell(new MakingNews("installation", MakingNews.Said, line)));
        return new MakingHands(setup.InstallAsync, PinAsync);
    }

    public void Say(string line) => Tell(new MakingNews("cloud", MakingNews.Said, line));

    public IEnumerable<string> NextSteps()
    {
        yield return $"the host key is pinned in {_files.HostKeys}; the key of the maintenance account is {_maintenanceKeyFile}: keep it";
        if (Provider == "digitalocean")
        {
            yield return $"the daemon's own token is yours to make (API, Tokens; scopes: docs/cloud.md), one word in {_files.Secret} (0600); then delete the creating one";
        }
        else if (_files.Secret is null)
        {
            yield return "the daemon has no credential of its own: write secret: aws into the bastion section, and run this again; until then it uses the environment's";
        }

        yield return $"next: internalhost check-config {_order.ConfigFile}, then internalhost doctor";
    }

    public void Dispose() => _own.ForEach(o => o.Dispose());

    private static async Task<CloudMakingDesk?> RefuseAsync(InvocationConfiguration io, params IReadOnlyList<string> lines)
    {
        foreach (var line in lines)
        {
            await io.Error.WriteLineAsync(line);
        }

        return null;
    }

    /// <summary>Its public half; empty: there is none yet, and nothing is made.</summary>
    private static async Task<(string Key, string? Problem)> MaintenanceKeyAsync(string file, CloudMakingOrder order, CancellationToken ct)
    {
        var pub = file.EndsWith(".pub", StringComparison.Ordinal) ? file : file + ".pub";
        if (!File.Exists(pub) && order.MaintenanceKey is not null)
        {
            return ("", $"--maintenance-key {order.MaintenanceKey}: {pub} is not there");
        }

        if (!File.Exists(pub))
        {
            return order.Makes ? ((await SshKeygen.EnsurePairAsync(file, new SystemProcessLauncher(TimeProvider.System), ct)).Line, null) : ("", null);
        }

        var key = PersonalValues.PublicKey((await File.ReadAllTextAsync(pub, ct)).Trim());
        return (key.Value ?? "", key.Problem is { } problem ? $"{pub} {problem}" : null);
    }

    /// <summary>The public half of the tunnel's key, which is made where there is none. The daemon that uses it is not root.</summary>
    private async Task<string> SiteKeyAsync(CancellationToken ct)
    {
        if (!File.Exists(_site.Bastion.KeyFile))
        {
            await SshKeygen.EnsurePairAsync(_site.Bastion.KeyFile, _launcher, ct);
            var given = !Environment.IsPrivilegedProcess || (await _launcher.RunAsync(new ProcessSpec("chown", [ServiceUser, _site.Bastion.KeyFile]), ct)).Ok;
            Say($"the tunnel's key was made: {_site.Bastion.KeyFile}{(given ? "" : $"; there is no user {ServiceUser} here: give the file to whom the daemon runs as")}");
        }

        var result = await _launcher.RunAsync(new ProcessSpec("ssh-keygen", ["-y", "-f", _site.Bastion.KeyFile]), ct);
        return result.Ok && PersonalValues.PublicKey(result.Output.Trim()).Value is { } key ? key
            : throw new MakingException($"{_site.Bastion.KeyFile} is no key of the tunnel that can be used: {result.Error}");
    }

    private Ec2Making Ec2(CloudApiOptions api)
    {
        var user = _files.Secret is { } secret
            ? new Ec2RunningUser(new IamClient(Transport(Ec2Endpoint.Iam(api.Region, api.Endpoint), AwsService.Iam)), Wish, secret, line => Tell(new MakingNews("running credential", MakingNews.Said, line)))
            : null;
        return new Ec2Making(new Ec2Client(Transport(Ec2Endpoint.Of(api.Region, api.Endpoint), AwsService.Ec2)), Wish, _shell, user);
    }

    /// <summary>Signed with the environment's or the profile's credential, never with the daemon's.</summary>
    private Ec2Transport Transport(Ec2Endpoint endpoint, AwsService service)
    {
        var transport = new Ec2Transport(endpoint, secretFile: null, Http().CreateHandler(), service);
        _own.Add(transport);
        return transport;
    }

    private DropletMaking Droplets(CloudApiOptions api, string folder)
    {
        var token = CreatingToken.Find(_order.TokenFile, _io);
        var http = new DigitalOceanHttp(api.Endpoint ?? DigitalOceanHttp.Public, _ => Task.FromResult(token), Http().CreateHandler(), TimeProvider.System);
        _own.Add(http);
        return new DropletMaking(new DigitalOceanClient(http), Wish, _shell, new OneTimeKeys(_launcher, folder).NewAsync, _patience, TimeProvider.System);
    }

    private UplinkHttp Http()
    {
        var (time, meter) = (TimeProvider.System, new UplinkMeter());
        var trusted = new TrustedTime(new KernelClock(), time, null, TrustedTime.BuildDate);
        var nat64 = new Nat64([.. _site.Witnesses.IspDns, .. _site.Witnesses.Resolvers], new UplinkFamilies(time), meter, time);
        var resolver = new UplinkResolver(_site.Witnesses.Resolvers, lastGood: null, meter, time, nat64);
        return new UplinkHttp(WayOut.Route(_site.Primary, _site.Backup, () => Usable.Unknown, () => Usable.Unknown), new UplinkDialler(resolver, trusted, meter, time), trusted);
    }

    private Task PinAsync(MakingNotes notes, CancellationToken ct)
    {
        var source = Provider == "ec2" ? PinSource.Console : PinSource.OneTime;
        PinFile.Write(_files.HostKeys!, [.. notes.HostKeys.Select(key => new Pin(key, source, PinFile.Me, TimeProvider.System.GetUtcNow()))]);
        return Task.CompletedTask;
    }

    /// <exception cref="UnauthorizedAccessException"/>
    private static void CheckWritable(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        Directory.CreateDirectory(folder);
        var probe = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $".bastion-{Environment.ProcessId}"));
        using (File.Create(probe, 1, FileOptions.DeleteOnClose))
        {
        }
    }

    private void Tell(MakingNews news) =>
        _io.Output.WriteLine(_order.Json ? JsonSerializer.Serialize(news, MakingNewsJson.Default.MakingNews) : news.ToLine());
}
