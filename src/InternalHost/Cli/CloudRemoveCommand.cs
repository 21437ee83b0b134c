using System.CommandLine;
using Common.Hosting;
using InternalHost.Cloud.Making;

namespace InternalHost.Cli;

/// <summary><c>internalhost cloud remove</c>: everything of the site at the provider, after a look at the list.</summary>
internal static class CloudRemoveCommand
{
    public static Command Build()
    {
        var options = new CloudMakingOptions();
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var command = new Command("remove", """
            Delete everything of this site at the provider: what bears its tag or its name. Shows the list and asks first.
            Ended at any point, run it again. Files on this machine stay.
            Examples: AWS_PROFILE=owner internalhost cloud remove
                      internalhost cloud remove --yes --token-file /root/do-token
            """) { yes };
        options.AddTo(command);
        command.SetAction((parsed, ct) => options.RunAsync(parsed, (desk, io) => RunAsync(desk, parsed.GetValue(yes), io, ct), ct));
        return command;
    }

    private static async Task<int> RunAsync(CloudMakingDesk desk, bool yes, InvocationConfiguration io, CancellationToken ct)
    {
        var things = RemovalRules.InOrder((await desk.Cloud.LookAsync(desk.Journal.Notes, everything: true, ct)).Things);
        if (things.IsEmpty && !desk.Journal.Exists)
        {
            desk.Say($"nothing of site {desk.Wish.Site} is at {desk.Provider} in {desk.Wish.Region}");
            return ExitCode.Good;
        }

        foreach (var thing in things)
        {
            desk.Say($"to be deleted: {thing}");
        }

        if (!yes && !await IsWantedAsync(desk, things.Length, io))
        {
            return ExitCode.BadInput;
        }

        await desk.Maker(MakingHands.None).RemoveAsync(ct);
        var left = (await desk.Cloud.LookAsync(desk.Journal.Notes, everything: true, ct)).Things;
        desk.Say(left.IsEmpty ? $"nothing of site {desk.Wish.Site} is left at {desk.Provider}, and nothing of it is paid for" : $"left: {string.Join(", ", left)}");
        return left.IsEmpty ? ExitCode.Good : ExitCode.Failed;
    }

    private static async Task<bool> IsWantedAsync(CloudMakingDesk desk, int count, InvocationConfiguration io)
    {
        if (Console.IsInputRedirected)
        {
            await io.Error.WriteLineAsync("internalhost: nobody is here to be asked; say --yes if all of this may go");
            return false;
        }

        await io.Output.WriteAsync($"Delete these {count} things of site {desk.Wish.Site}? [y/N] ");
        if (Console.ReadLine()?.Trim() is "y" or "Y" or "yes")
        {
            return true;
        }

        await io.Error.WriteLineAsync("internalhost: nothing was deleted");
        return false;
    }
}
