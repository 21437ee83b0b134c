using System.Collections.Immutable;
using System.Text;
using Common;
using InternalHost.Configuration;

namespace InternalHost.Clients;

/// <param name="Config">For <c>ssh -F</c>, or an Include line of the person's own configuration.</param>
/// <param name="KnownHosts">The pins of both hops.</param>
public sealed record SshClientFiles(string Config, string KnownHosts);

/// <summary>What a client's files are made of, beside the site's options.</summary>
/// <param name="Account">Theirs on the bastion.</param>
/// <param name="Door">Name or address of the bastion; null: it changes and comes with the text message.</param>
/// <param name="InnerHostKeys">Public host keys of the sshd inside.</param>
/// <param name="KnownHostsFile">Where the person will keep <see cref="SshClientFiles.KnownHosts"/>.</param>
/// <param name="Identity">The person's private key; null: whatever their ssh has.</param>
public sealed record SshClient(PersonOptions Person, string Account, string? Door, ImmutableArray<string> InnerHostKeys, string KnownHostsFile, string? Identity);

/// <summary>
/// The OpenSSH client configuration by which a person comes in: both hops pinned, no trust on first use, whatever address the
/// bastion has today. Pure.
/// </summary>
/// <remarks>
/// The door is pinned as <c>[*]:PORT</c>: a HostKeyAlias given on the command line is not passed on to the hop of <c>-J</c>, and its
/// address changes. The hop's ssh reads the same file, and finds its pins by the Match block at the end.
/// </remarks>
[PureCore]
public static class SshClientConfig
{
    private const int SshPort = 22;

    /// <summary>The service that is the way in: named ssh, else the first that is somebody's port 22. Null: there is none.</summary>
    public static ServiceOptions? InnerSsh(SiteOptions site, PersonOptions person)
    {
        var mine = site.Services.Where(s => person.May.Contains(s.Name)).ToList();
        return mine.FirstOrDefault(s => s.Name == "ssh") ?? mine.FirstOrDefault(s => s.TargetPort == SshPort);
    }

    public static string InnerAlias(SiteOptions site) => $"{site.Site}-inside";

    public static SshClientFiles Render(SiteOptions site, SshClient client, ServiceOptions inner)
    {
        var config = new StringBuilder()
            .Append($"# {site.Site}: the way in for {client.Person.Name}. Made by internalhost ssh-config; make it anew rather than edit it.\n")
            .Append($"# {(client.Door is null ? $"The address comes with the text: ssh -J {client.Account}@ADDRESS:{site.Bastion.Ports[0]} {site.Site}" : $"Type: ssh {site.Site}")}\n\n")
            .Append("IgnoreUnknown SessionType\n\n");
        foreach (var (port, suffix) in site.Bastion.Ports.Select((p, i) => (p, i == 0 ? "" : $"-{p}")))
        {
            Inner(config, site, client, inner, suffix);
            Door(config, site, client, port, suffix);
            Others(config, site, client, inner, suffix);
        }

        Pins(config, site, client);
        config.Append($"Match host 127.0.0.1 exec \"test %p = {inner.BastionPort}\"\n    HostKeyAlias {InnerAlias(site)}\n");
        Trust(config, client);
        return new SshClientFiles(config.ToString(), KnownHosts(site, client));
    }

    private static void Inner(StringBuilder config, SiteOptions site, SshClient client, ServiceOptions inner, string suffix)
    {
        Host(config, $"{site.Site}{suffix}", client,
            ("HostName", "127.0.0.1"),
            ("Port", $"{inner.BastionPort}"),
            ("User", site.Messages.InnerUser),
            ("HostKeyAlias", InnerAlias(site)),
            ("ProxyJump", client.Door is null ? null : $"{site.Site}-door{suffix}"),
            ("ServerAliveInterval", "15"));
    }

    private static void Door(StringBuilder config, SiteOptions site, SshClient client, int port, string suffix)
    {
        if (client.Door is { } door)
        {
            Host(config, $"{site.Site}-door{suffix}", client, ("HostName", door), ("Port", $"{port}"), ("User", client.Account));
        }
    }

    /// <summary>Services that are no SSH: a local port that leads there while this ssh runs.</summary>
    private static void Others(StringBuilder config, SiteOptions site, SshClient client, ServiceOptions inner, string suffix)
    {
        foreach (var service in site.Services.Where(s => client.Door is not null && s != inner && client.Person.May.Contains(s.Name)))
        {
            config.Append($"# {service.Name} is then at localhost:{service.BastionPort}\n");
            Host(config, $"{site.Site}-{service.Name}{suffix}", client,
                ("HostName", "127.0.0.1"),
                ("Port", $"{inner.BastionPort}"),
                ("User", site.Messages.InnerUser),
                ("HostKeyAlias", InnerAlias(site)),
                ("ProxyJump", $"{site.Site}-door{suffix}"),
                ("LocalForward", $"{service.BastionPort} {Target(service)}"),
                ("ExitOnForwardFailure", "yes"),
                ("SessionType", "none"));
        }
    }

    private static string Target(ServiceOptions service) =>
        service.TargetHost.Contains(':') ? $"[{service.TargetHost}]:{service.TargetPort}" : $"{service.TargetHost}:{service.TargetPort}";

    /// <summary>For the door by whatever address stands in a text message: told by account and port, as nothing else is known of it.</summary>
    private static void Pins(StringBuilder config, SiteOptions site, SshClient client)
    {
        foreach (var port in site.Bastion.Ports)
        {
            config.Append($"Match user {client.Account} exec \"test %p = {port}\"\n");
            Trust(config, client);
        }
    }

    private static void Host(StringBuilder config, string name, SshClient client, params ReadOnlySpan<(string Key, string? Value)> lines)
    {
        config.Append($"Host {name}\n");
        foreach (var (key, value) in lines)
        {
            config.Append(value is null ? "" : $"    {key} {value}\n");
        }

        Trust(config, client);
    }

    /// <summary>With several keys in an agent the server's MaxAuthTries is used up before the right one: hence IdentitiesOnly.</summary>
    private static void Trust(StringBuilder config, SshClient client)
    {
        config.Append("    StrictHostKeyChecking yes\n")
            .Append($"    UserKnownHostsFile {Quote(client.KnownHostsFile)}\n")
            .Append("    GlobalKnownHostsFile none\n")
            .Append("    UpdateHostKeys no\n")
            .Append("    IdentitiesOnly yes\n")
            .Append(client.Identity is { } identity ? $"    IdentityFile {Quote(identity)}\n\n" : "\n");
    }

    private static string KnownHosts(SiteOptions site, SshClient client)
    {
        var lines = new StringBuilder();
        foreach (var key in site.Bastion.HostKeys)
        {
            foreach (var port in site.Bastion.Ports)
            {
                // A port of 22 is filed under the bare name.
                lines.Append(port == SshPort ? $"* {key}\n" : $"[*]:{port} {key}\n");
            }
        }

        foreach (var key in client.InnerHostKeys)
        {
            lines.Append($"{InnerAlias(site)} {key}\n");
        }

        return lines.ToString();
    }

    private static string Quote(string path) => path.Contains(' ') ? $"\"{path}\"" : path;
}
