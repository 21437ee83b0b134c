using System.CommandLine;
using System.Text.Json;
using Common.Hosting;
using InternalHost.Cloud;
using InternalHost.Cloud.Inventory;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;

namespace InternalHost.Cli;

/// <summary><c>internalhost cloud list|adopt|discard</c>.</summary>
internal static class CloudListCommand
{
    public static Command Build()
    {
        var config = CommandTree.ConfigOption();
        var json = CommandTree.JsonOption("One JSON object");
        var command = new Command("list", """
            What there is, which of it is used, and what each costs a month.
            Examples: internalhost cloud list
                      internalhost cloud list --json | jq '.things[] | select(.used | not)'
            """) { json, config };
        command.SetAction((parsed, ct) => RunAsync(parsed, config, ownersKey: false, async (site, inventory, io) =>
        {
            var seen = await inventory.ListAsync(ct);
            await io.Output.WriteLineAsync(
                parsed.GetValue(json) ? JsonSerializer.Serialize(InventoryText.Report(seen), InventoryJson.Default.InventoryReport) : InventoryText.Render(site.Site, seen).TrimEnd('\n'));
            return ExitCode.Good;
        }));
        return command;
    }

    public static Command Adopt()
    {
        var id = new Argument<string>("ID") { Description = "As the provider calls it: i-0abc..., 3164444" };
        var config = CommandTree.ConfigOption();
        var command = new Command("adopt", """
            A machine that was made by hand becomes the site's: it gets the site's tag. Refused while the site has another.
            For cloud: ec2 the credential of the environment or of AWS_PROFILE is used, which must be allowed to tag.
            Example: internalhost cloud adopt i-0123456789abcdef0
            """) { id, config };
        command.SetAction((parsed, ct) => RunAsync(parsed, config, ownersKey: true, async (site, inventory, io) =>
        {
            await inventory.AdoptAsync(parsed.GetValue(id)!, ct);
            await io.Output.WriteLineAsync($"{parsed.GetValue(id)} is {site.Site}'s. Next: pin its host key (bastion.host_keys), then internalhost status");
            return ExitCode.Good;
        }));
        return command;
    }

    public static Command Discard()
    {
        var id = new Argument<string>("ID") { Description = "As the list shows it" };
        var yes = new Option<bool>("--yes") { Description = "It is removed for ever, and that is what you want" };
        var config = CommandTree.ConfigOption();
        var command = new Command("discard", """
            Remove one thing that nobody uses, for ever. What is in use is refused.
            For cloud: ec2 the credential of the environment or of AWS_PROFILE is used, which must be allowed to remove.
            Example: internalhost cloud discard vol-0123456789abcdef0 --yes
            """) { id, yes, config };
        command.SetAction((parsed, ct) => RunAsync(parsed, config, ownersKey: true, async (_, inventory, io) =>
        {
            if ((await inventory.ListAsync(ct)).Things.FirstOrDefault(t => t.Id == parsed.GetValue(id)) is not { } thing)
            {
                return Fail(io, ExitCode.BadInput, $"{parsed.GetValue(id)} is not in the list of this site: internalhost cloud list");
            }

            if (thing.Used)
            {
                return Fail(io, ExitCode.BadInput, $"{thing.Id} is in use");
            }

            if (!parsed.GetValue(yes))
            {
                return Fail(io, ExitCode.BadInput, $"{InventoryText.Word(thing.Kind)} {thing.Id} would be removed for ever: say so with --yes");
            }

            await inventory.DiscardAsync(thing, ct);
            await io.Output.WriteLineAsync($"{InventoryText.Word(thing.Kind)} {thing.Id} is removed");
            return ExitCode.Good;
        }));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, Option<string> config, bool ownersKey, Func<SiteOptions, ICloudInventory, InvocationConfiguration, Task<int>> run)
    {
        var io = parsed.InvocationConfiguration;
        var reading = SiteConfiguration.Load(parsed.GetValue(config)!);
        if (reading.Options is not { } site)
        {
            return Fail(io, ExitCode.BadInput, string.Join('\n', reading.Errors.Select(e => e.ToLine())));
        }

        if (CloudInventories.Create(site, Http(site), TimeProvider.System, ownersKey) is not { } inventory)
        {
            return Fail(io, ExitCode.BadInput, "internalhost: this is for cloud: ec2 and cloud: digitalocean; other providers have no list that we could read");
        }

        try
        {
            return await run(site, inventory, io);
        }
        catch (CloudException e)
        {
            return Fail(io, ExitCode.Failed, $"internalhost: {e.Message}");
        }
    }

    /// <summary>By the uplinks of the configuration, the primary first: this is peace time.</summary>
    private static UplinkHttp Http(SiteOptions site)
    {
        var (time, meter) = (TimeProvider.System, new UplinkMeter());
        var trusted = new TrustedTime(new KernelClock(), time, null, TrustedTime.BuildDate);
        var nat64 = new Nat64([.. site.Witnesses.IspDns, .. site.Witnesses.Resolvers], new UplinkFamilies(time), meter, time);
        var resolver = new UplinkResolver(site.Witnesses.Resolvers, lastGood: null, meter, time, nat64);
        return new UplinkHttp(
            WayOut.Route(site.Primary, site.Backup, () => Usable.Unknown, () => Usable.Unknown), new UplinkDialler(resolver, trusted, meter, time), trusted);
    }

    private static int Fail(InvocationConfiguration io, int code, string words)
    {
        io.Error.WriteLine(words);
        return code;
    }
}
