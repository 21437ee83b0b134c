using System.Collections.Immutable;
using System.CommandLine;
using Common.Configuration;
using Common.Hosting;
using InternalHost.Configuration;
using InternalHost.Control;
using InternalHost.Pins;

namespace InternalHost.Cli;

/// <summary><c>internalhost pins [add|drop]</c>: which host keys of the bastion are accepted, from where we know them, and since when.</summary>
internal static class PinsCommand
{
    public static Command Build()
    {
        var config = CommandTree.ConfigOption();
        var command = new Command("pins", """
            Show the host keys of the bastion that are accepted: from where each is known, who put it there, and when.
            A new key is accepted beside the old one first, then offered by the VM, then the old one is dropped:
              internalhost pins add 'ssh-ed25519 AAAA...' --next     then give people ssh-config anew
              internalhost pins drop SHA256:Jq3w...                  when the VM offers the new one
            """) { config, Add(), Drop() };
        command.SetAction(parsed => new PinsEditor(parsed.GetValue(config)!, parsed.InvocationConfiguration).List());
        return command;
    }

    private static Command Add()
    {
        var config = CommandTree.ConfigOption();
        var key = new Argument<string>("KEY") { Description = "The line of a .pub file, or such a file; never what ssh-keyscan shows, which is anybody's" };
        var next = new Option<bool>("--next") { Description = "The bastion does not offer it yet" };
        var add = new Command("add", "Accept one more host key.") { key, next, config };
        add.SetAction(async (parsed, ct) =>
            await new PinsEditor(parsed.GetValue(config)!, parsed.InvocationConfiguration).AddAsync(parsed.GetValue(key)!, parsed.GetValue(next), ct));
        return add;
    }

    private static Command Drop()
    {
        var config = CommandTree.ConfigOption();
        var fingerprint = new Argument<string>("FINGERPRINT") { Description = "Whole, or so much of its beginning as tells it from the others" };
        var drop = new Command("drop", "Accept a host key no longer.") { fingerprint, config };
        drop.SetAction(async (parsed, ct) =>
            await new PinsEditor(parsed.GetValue(config)!, parsed.InvocationConfiguration).DropAsync(parsed.GetValue(fingerprint)!, ct));
        return drop;
    }
}

/// <summary>Changes the file of pins, and has a running daemon take it over.</summary>
internal sealed class PinsEditor(string configFile, InvocationConfiguration io)
{
    public int List()
    {
        var reading = SiteConfiguration.Load(configFile);
        if (reading.Options is not { } site)
        {
            return Fail([.. reading.Errors.Select(e => e.ToLine())]);
        }

        foreach (var pin in PinFile.Of(site.Bastion))
        {
            io.Output.WriteLine($"{pin.Fingerprint}  {pin.Key.Split(' ')[0]}, {PinText.Say(pin)}{(pin.Next ? ", next" : "")}");
        }

        return ExitCode.Good;
    }

    public Task<int> AddAsync(string text, bool next, CancellationToken ct) => ChangeAsync(
        pins =>
        {
            var key = PersonalValues.PublicKey((text.StartsWith('/') || File.Exists(text) ? File.ReadAllText(text) : text).Trim());
            return key.Value is not { } line ? ([], $"'{text}' {key.Problem}")
                : pins.Any(p => p.Key == line && p.Next == next) ? ([], $"{HostKey.Fingerprint(line)} is accepted already")
                : ([.. pins.Where(p => p.Key != line), new Pin(line, PinSource.Hand, PinFile.Me, TimeProvider.System.GetUtcNow(), next)], null);
        },
        ct);

    public Task<int> DropAsync(string fingerprint, CancellationToken ct) => ChangeAsync(
        pins =>
        {
            var wanted = pins.Where(p => p.Fingerprint.StartsWith(fingerprint, StringComparison.Ordinal) || p.Fingerprint["SHA256:".Length..].StartsWith(fingerprint, StringComparison.Ordinal)).ToList();
            return wanted switch
            {
                [] => ([], $"no pin begins with '{fingerprint}': see internalhost pins"),
                [_, _, ..] => ([], $"'{fingerprint}' is the beginning of {wanted.Count} pins: give more of it"),
                [var only] when !pins.Any(p => p != only && !p.Next) => ([], $"{only.Fingerprint} is the only one that the bastion may offer: without it nothing is dialled; add another first"),
                [var only] => ([.. pins.Where(p => p != only)], null),
            };
        },
        ct);

    /// <param name="change">From the pins to the new ones, or why not.</param>
    private async Task<int> ChangeAsync(Func<ImmutableArray<Pin>, (ImmutableArray<Pin> Pins, string? Problem)> change, CancellationToken ct)
    {
        var reading = SiteConfiguration.Load(configFile);
        if (reading.Options is not { } site)
        {
            return Fail([.. reading.Errors.Select(e => e.ToLine())]);
        }

        if (site.Bastion.HostKeyFiles is not [var file])
        {
            return Fail("internalhost: bastion.host_keys must name one file, such as /etc/internalhost/keys/bastion_host.pub; keys in the configuration itself are changed there");
        }

        try
        {
            var (pins, problem) = change(PinFile.Read(file));
            if (problem is not null)
            {
                return Fail($"internalhost: {problem}");
            }

            PinFile.Write(file, pins);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail($"internalhost: {file} cannot be changed: {e.Message}");
        }

        await TakeOverAsync(ct);
        return List();
    }

    private async Task TakeOverAsync(CancellationToken ct)
    {
        try
        {
            var reply = await ControlClient.AskAsync(SiteConfiguration.ControlSocketOf(configFile), new ControlRequest.Reload(), TimeProvider.System, ct);
            await io.Error.WriteLineAsync(reply.Ok ? "the daemon has taken it over" : $"the daemon did not take it over: {reply.Error}");
        }
        catch (ControlUnreachableException)
        {
            await io.Error.WriteLineAsync("no daemon runs here: it counts from its next start");
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
