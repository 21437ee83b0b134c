using System.Collections.Immutable;
using System.CommandLine;
using Common.Configuration;
using Common.Hosting;
using InternalHost.Clients;
using InternalHost.Configuration;
using InternalHost.Pins;

namespace InternalHost.Cli;

/// <summary><c>internalhost ssh-config [PERSON]</c>: the client configuration of one person, both hops pinned.</summary>
internal static class SshConfigCommand
{
    public static Command Build()
    {
        var who = new Argument<string?>("PERSON") { Description = "Whose; may be left out where there is only one", Arity = ArgumentArity.ZeroOrOne };
        var config = CommandTree.ConfigOption();
        var address = new Option<string?>("--address") { Description = "Where the bastion is now; else bastion.name, else bastion.address", HelpName = "HOST" };
        var identity = new Option<string?>("--identity") { Description = "The person's private key file, on their device", HelpName = "FILE" };
        var account = new Option<string?>("--account") { Description = "Their account on the bastion, where it is not their name", HelpName = "NAME" };
        var directory = new Option<string?>("--out") { Description = "Write SITE.conf and SITE.known_hosts there, for ssh -F", HelpName = "DIR" };
        var phone = new Option<bool>("--phone") { Description = "What to type into an SSH app, and the fingerprints to compare" };
        var command = new Command("ssh-config", """
            Print what a person's ssh needs to come in by name, both hosts pinned: no key is ever accepted by sight.
            Examples: internalhost ssh-config alice
                      internalhost ssh-config alice --out ~/home && ssh -F ~/home/home.conf home
                      internalhost ssh-config alice --phone
            """) { who, address, account, identity, directory, phone, config };
        command.SetAction(parsed => new SshConfigWriter(parsed.GetValue(config)!, parsed.InvocationConfiguration).Run(
            new SshConfigWish(parsed.GetValue(who), parsed.GetValue(address), parsed.GetValue(account), parsed.GetValue(identity), parsed.GetValue(directory), parsed.GetValue(phone))));
        return command;
    }
}

/// <summary>What was typed after <c>ssh-config</c>; null: not said.</summary>
internal sealed record SshConfigWish(string? Who, string? Address, string? Account, string? Identity, string? Directory, bool Phone);

internal sealed class SshConfigWriter(string configFile, InvocationConfiguration io)
{
    public int Run(SshConfigWish wish)
    {
        var reading = SiteConfiguration.Load(configFile);
        if (reading.Options is not { } site)
        {
            return Fail([.. reading.Errors.Select(e => e.ToLine())]);
        }

        if (Person(site, wish.Who) is not { } person)
        {
            return Fail($"internalhost: name one of the people: {string.Join(", ", site.People.Select(p => p.Name))}");
        }

        if (SshClientConfig.InnerSsh(site, person) is not { } inner)
        {
            return Fail($"internalhost: no service that {person.Name} may reach is an SSH server: add one, such as ssh: 127.0.0.1:22");
        }

        var (keys, problem) = InnerKeys(site);
        if (problem is not null)
        {
            return Fail($"internalhost: {problem}");
        }

        var knownHosts = wish.Directory is null ? $"~/.ssh/{site.Site}.known_hosts" : Path.Combine(Path.GetFullPath(wish.Directory), $"{site.Site}.known_hosts");
        var door = wish.Address ?? site.Bastion.Name ?? site.Bastion.Address?.ToString();
        var client = new SshClient(person, wish.Account ?? person.Name, door, keys, knownHosts, wish.Identity);
        if (wish.Phone)
        {
            io.Output.Write(PhoneCard.Render(site, client, inner, PinFile.Of(site.Bastion)));
            return ExitCode.Good;
        }

        var files = SshClientConfig.Render(site, client, inner);
        return wish.Directory is null ? Print(site, files) : Write(site, files, Path.GetFullPath(wish.Directory));
    }

    private static PersonOptions? Person(SiteOptions site, string? who) =>
        who is null ? site.People is [var only] ? only : null : site.People.FirstOrDefault(p => p.Name == who);

    private static (ImmutableArray<string> Keys, string? Problem) InnerKeys(SiteOptions site)
    {
        var keys = ImmutableArray.CreateBuilder<string>();
        foreach (var file in site.InnerHostKeyFiles)
        {
            try
            {
                var key = PersonalValues.PublicKey(File.ReadAllText(file).Trim());
                if (key.Problem is { } problem)
                {
                    return ([], $"{file} {problem}");
                }

                keys.Add(key.Value!);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return ([], $"the host key of the sshd inside cannot be read: {e.Message} (inner_host_keys names its .pub file)");
            }
        }

        return (keys.ToImmutable(), null);
    }

    private int Print(SiteOptions site, SshClientFiles files)
    {
        io.Output.Write($"# ---- ~/.ssh/{site.Site}.conf      (and in ~/.ssh/config, first line: Include {site.Site}.conf)\n{files.Config}");
        io.Output.Write($"# ---- ~/.ssh/{site.Site}.known_hosts\n{files.KnownHosts}");
        return ExitCode.Good;
    }

    private int Write(SiteOptions site, SshClientFiles files, string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            File.WriteAllText(Path.Combine(directory, $"{site.Site}.known_hosts"), files.KnownHosts);
            var config = Path.Combine(directory, $"{site.Site}.conf");
            File.WriteAllText(config, files.Config);
            io.Output.WriteLine($"ssh -F {config} {site.Site}");
            return ExitCode.Good;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail($"internalhost: {directory} cannot be written: {e.Message}");
        }
    }

    private int Fail(params ReadOnlySpan<string> lines)
    {
        foreach (var line in lines)
        {
            io.Error.WriteLine(line);
        }

        return ExitCode.BadInput;
    }
}
