using System.Text.Json;
using Common.Processes;
using Lab;
using Testing;

namespace Integration.Tests.Demo;

/// <summary>After all others and by itself: it plays in real time, and its detector must not starve.</summary>
[CollectionDefinition(nameof(DemoTests), DisableParallelization = true)]
public sealed class DemoCollection;

[Collection(nameof(DemoTests))]
public sealed class DemoTests
{
    private static readonly string[] Contract =
    [
        "primary_cut", "primary_down", "vm_start", "vm_running", "tunnel_verified", "login", "primary_restored", "primary_up", "vm_stopped", "summary",
    ];

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public Task Whole_outage_is_survived_with_the_real_programs_and_nothing_is_left() => SurvivedAsync();

    /// <summary>An EC2 that we have not written checks each signature, and the policy of the daemon's key.</summary>
    [NeedsFact(Need.Ssh | Need.Sshd | Need.Moto)]
    public Task Whole_outage_is_survived_with_moto_as_the_ec2() => SurvivedAsync("--cloud=ec2");

    private async Task SurvivedAsync(params string[] more)
    {
        var place = Directory.CreateTempSubdirectory("d").FullName;
        var file = Path.GetTempFileName();

        var result = await _launcher.RunAsync(
            Program(["demo", "--json", file, .. more]) with { Environment = new Dictionary<string, string> { ["XDG_RUNTIME_DIR"] = place } }, default);

        Assert.True(result.Ok, result.Output + result.Error);
        var events = File.ReadLines(file).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(Contract, events.Select(Name).Where(Contract.Contains));
        Assert.Equal(["open", "login", "closed"], events.Where(e => Name(e) == "sms_sent").Select(e => e.GetProperty("kind").GetString()));
        Assert.True(events[^1].GetProperty("ok").GetBoolean());
        Assert.All(events[^1].GetProperty("steps").EnumerateArray(), step => Assert.True(step.GetProperty("ok").GetBoolean()));
        Assert.Equal(Contract.Select(c => At(events, c)).Order(), Contract.Select(c => At(events, c)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(place));
        Assert.Empty(ProcessesNaming(place));
        File.Delete(file);
        Directory.Delete(place);
    }

    [Fact]
    public async Task Bad_usage_is_told_apart_from_a_failed_step()
    {
        var result = await DemoAsync("--jsno", "x");

        Assert.Equal(2, result.Exit.Code);
        Assert.Contains("usage:", result.Error, StringComparison.Ordinal);
    }

    [NeedsFact(Need.Ssh)]
    public async Task Machine_without_sshd_is_told_what_is_missing()
    {
        var result = await _launcher.RunAsync(
            Program(["demo"]) with { Environment = new Dictionary<string, string> { ["BASTION_SSHD"] = "/nonexistent" } }, default);

        Assert.Equal(2, result.Exit.Code);
        Assert.Contains("sshd", result.Error, StringComparison.Ordinal);
    }

    private Task<ProcessResult> DemoAsync(params string[] words) => _launcher.RunAsync(Program(["demo", .. words]), default);

    private static ProcessSpec Program(string[] words) => new("dotnet", [Path.Combine(AppContext.BaseDirectory, "lab.dll"), .. words]);

    private static string? Name(JsonElement e) => e.GetProperty("event").GetString();

    private static double At(List<JsonElement> events, string name) => events.First(e => Name(e) == name).GetProperty("t").GetDouble();

    private static IEnumerable<string> ProcessesNaming(string folder) => Directory.EnumerateDirectories("/proc")
        .Select(p => Path.Combine(p, "cmdline")).Where(File.Exists).Select(Read).Where(c => c.Contains(folder, StringComparison.Ordinal));

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            // It has just ended.
            return "";
        }
    }
}
