using System.Globalization;
using System.Net;
using Common.Processes;
using Common.Time;
using Lab.Demo;
using Lab.World;

namespace Bench;

/// <summary>
/// A thousand logins a minute of one person, by one key from one network (a broken script, or a stolen key), and in the middle of it
/// another person logs in once. The rival, at the same logins: one message each, while the login waits.
/// </summary>
internal sealed class Storm : IBenchmark
{
    private const int LoginsAMinute = 1000;

    /// <summary>Texts in ten minutes, and in a day.</summary>
    private const int Budget = 6;

    private static readonly TimeSpan OneStorm = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>What an HTTP call to the real gateway takes.</summary>
    private static readonly TimeSpan GatewayAnswers = TimeSpan.FromMilliseconds(300);

    public string Name => "storm";

    public string What => "1,000 logins a minute of one person; another one's single login -> request at the SMS gateway; rival: a script with one SMS a login";

    public async Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct)
    {
        if (!File.Exists("/usr/bin/curl"))
        {
            throw new CannotRunException("the rival is a script that calls curl: apt-get install curl");
        }

        var storms = new List<Outcome>();
        for (var run = 0; run < (runs ?? 1); run++)
        {
            storms.Add(await OnceAsync(ct));
            await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{run + 1,4}: ours {storms[^1].Ours:F3} s, {storms[^1].OurTexts} texts, {storms[^1].Lost} not recorded   rival {storms[^1].Rival:F3} s, {storms[^1].RivalTexts} texts"));
        }

        var (ours, rival) = (storms.Where(s => s.Ours is not null).Select(s => s.Ours!.Value).ToList(), storms.Where(s => s.Rival is not null).Select(s => s.Rival!.Value).ToList());
        return new BenchmarkResult(
            Name,
            new Promise("max", "<=", 10, "s"),
            Series.Of(ours, "bastion agent", storms.Count - ours.Count),
            new Dictionary<string, Series> { ["script, one SMS a login"] = Series.Of(rival, "curl", storms.Count - rival.Count) },
            storms.Count)
        {
            Checks =
            [
                new("logins that were not recorded", "<=", 0, "", storms.Max(s => s.Lost)),
                new("texts, all of them", "<=", Budget, "", storms.Max(s => s.OurTexts)),
                new("the second person's login in them", ">=", 1, "", storms.Min(s => s.SecondTold)),
            ],
            Table = new Table(
                $"a storm of {LoginsAMinute} logins in {OneStorm.TotalSeconds:0} s", ["ours", "script"],
                [
                    new("texts", [storms.Average(s => s.OurTexts), storms.Average(s => s.RivalTexts)]),
                    new("a login waits for it, median (ms)", [0, storms.Average(s => s.RivalDelay) * 1000]),
                    new("texts ahead of the second person's, at one a second (s)", [storms.Average(s => s.OurQueue), storms.Average(s => s.RivalQueue)]),
                ]),
        };
    }

    private static async Task<Outcome> OnceAsync(CancellationToken ct)
    {
        var time = TimeProvider.System;
        using var folder = RunFolder.Make(keep: false);
        await using var stage = await StormStage.SetAsync(folder, GatewayAnswers, new SystemProcessLauncher(time), time, ct);
        var (storm, second) = (IPAddress.Parse("198.51.100.7"), IPAddress.Parse("203.0.113.9"));
        var began = Instant.Now(time);
        var waits = new List<Task<double?>>();
        var secondAt = Instant.Never;
        for (var n = 0; n < LoginsAMinute; n++)
        {
            if (n == LoginsAMinute / 2)
            {
                secondAt = Instant.Now(time);
                Play(StormStage.Second, new IPEndPoint(second, 40000));
            }

            Play(StormStage.Stormer, new IPEndPoint(storm, 20000 + n));
            var next = began + (OneStorm * ((n + 1) / (double)LoginsAMinute)) - Instant.Now(time);
            await Task.Delay(next < TimeSpan.Zero ? TimeSpan.Zero : next, time, ct);
        }

        var lost = await stage.SettleAsync(Patience, ct);
        var delays = (await Task.WhenAll(waits)).OfType<double>().Order().ToList();
        var (ours, rivals) = (stage.Ours.Messages, stage.Rivals.Messages);
        return new Outcome(
            Reached(ours, secondAt), Reached(rivals, secondAt), lost, ours.Length, rivals.Length, ours.Count(IsSecond),
            delays.Count == 0 ? double.NaN : delays[delays.Count / 2], Queue(ours, began), Queue(rivals, began));

        void Play(string who, IPEndPoint from)
        {
            stage.Login(who, from);
            waits.Add(stage.RivalLoginAsync(who, from, ct));
        }
    }

    private static double? Reached(IEnumerable<GatewayMessage> messages, Instant asked) =>
        messages.FirstOrDefault(IsSecond) is { } told ? (told.At - asked).TotalSeconds : null;

    /// <summary>A long number sends one text a second (Twilio): those that came before are sent before.</summary>
    private static double Queue(IReadOnlyList<GatewayMessage> messages, Instant began) =>
        messages.FirstOrDefault(IsSecond) is { } told ? Math.Max(0, messages.Count(m => m.At < told.At) - (told.At - began).TotalSeconds) : double.NaN;

    private static bool IsSecond(GatewayMessage message) => message.Body.Contains(StormStage.Second, StringComparison.Ordinal);

    private sealed record Outcome(
        double? Ours, double? Rival, int Lost, int OurTexts, int RivalTexts, int SecondTold, double RivalDelay, double OurQueue, double RivalQueue);
}
