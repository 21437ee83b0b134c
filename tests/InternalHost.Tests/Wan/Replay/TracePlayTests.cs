using InternalHost.Wan.Detection;
using InternalHost.Wan.Replay;

namespace InternalHost.Tests.Wan.Replay;

public sealed class TracePlayTests
{
    private static readonly string[] Everyone = ["isp_dns", "dns_a", "dns_b", "tls"];

    [Fact]
    public void Start_is_told_at_the_first_row_s_time()
    {
        var told = Play("1000.5,tls_a,0,", "1010,tls_a,0,");

        Assert.Equal(new TraceVerdict(1000.5m, UplinkState.Unknown, Usable.Unknown, Reasons.Start), told[0]);
        Assert.Equal((UplinkState.Up, Usable.Yes), (told[1].State, told[1].Usable));
        Assert.Equal(2, told.Count);
    }

    [Fact]
    public void Blackout_is_down_within_the_promise_and_up_20_s_after_its_end()
    {
        var told = Play(["0,tls,0,", .. All(60.25, 1), .. All(200, 0), "300,tls,0,"]);

        Assert.Equal("Unknown Up Suspect Down Up", States(told));
        Assert.InRange(told[3].Seconds, 60.25m + 6.8m, 60.25m + 8.5m);
        Assert.Equal(Reasons.Dark, told[3].Reason);
        Assert.InRange(told[4].Seconds, 220, 222);
    }

    [Theory]
    [InlineData(nameof(DetectorPreset.Fast), 5)]
    [InlineData(nameof(DetectorPreset.Balanced), 7.8)]
    [InlineData(nameof(DetectorPreset.Satellite), 15)]
    public void Preset_says_how_long_the_dark_must_last(string preset, double seconds)
    {
        var told = Play(["0,tls,0,", .. All(60.25, 1), "120,tls,1,"], Enum.Parse<DetectorPreset>(preset));

        var dark = (double)(told.Single(v => v.State == UplinkState.Down).Seconds - 60.25m);
        Assert.InRange(dark, seconds - 1.01, seconds + 0.01);
    }

    [Fact]
    public void Rows_of_one_time_apply_together_and_before_that_time_s_probes()
    {
        // Dark from the very first probe on: had one been sent before the rows, the primary would have been Up once.
        var dead = Play([.. All(0, 1), "60,tls,1,"]);
        var revoked = Play([.. All(0, 1), .. All(0, 0), "60,tls,0,"]);

        Assert.Equal("Unknown Unknown", States(dead));
        Assert.Equal("Unknown Up", States(revoked));
    }

    [Fact]
    public void History_is_fresh_and_a_primary_that_was_never_up_is_unknown()
    {
        var told = Play([.. All(0, 1), .. All(100, 0), .. All(200, 1), "300,tls,1,"]);

        Assert.Equal(Reasons.NeverUp, told[1].Reason);
        Assert.Equal("Unknown Unknown Up Suspect Down", States(told));
        Assert.InRange(told[4].Seconds, 206.8m, 208.5m);
    }

    [Fact]
    public void Tls_b_follows_tls_a_until_it_is_named_anywhere()
    {
        // With one TLS witness alive the answers are proven; with none they may be a portal's.
        var follows = Play("0,tls,0,", "60,tls,1,", "200,tls,1,");
        var named = Play("0,tls,0,", "60,tls,1,", "200,tls_b,0,");

        Assert.Contains(UplinkState.Walled, follows.Select(v => v.State));
        Assert.DoesNotContain(UplinkState.Walled, named.Select(v => v.State));
    }

    [Fact]
    public void Rtt_above_the_probe_s_timeout_is_a_loss()
    {
        var told = Play(["0,tls,0,", .. Everyone.Select(t => $"60,{t},0,1500"), "100,tls,0,"]);

        Assert.Equal("Unknown Up Suspect Down", States(told));
    }

    [Fact]
    public void Rtt_empty_is_as_before()
    {
        var told = Play(["0,tls,0,", .. Everyone.Select(t => $"60,{t},0,1500"), .. All(61, 0), "100,tls,0,"]);

        Assert.Equal("Unknown Up Suspect Down", States(told));
    }

    [Theory]
    [InlineData("0.49", false)]
    [InlineData("0.5", true)]
    public void Carrier_is_down_from_a_half_on_and_takes_everything_with_it(string loss, bool down)
    {
        var told = Play("0,tls,0,", $"60,carrier,{loss},", "90,carrier,0,", "150,tls,0,");

        Assert.Equal(down ? "Unknown Up Suspect Down Up" : "Unknown Up", States(told));
        if (down)
        {
            Assert.Equal(Reasons.Carrier, told[3].Reason);
            Assert.InRange(told[3].Seconds, 61.5m, 62m);
            Assert.InRange(told[4].Seconds, 110, 112);
        }
    }

    /// <summary>The router falls over: everything answers, by the backup.</summary>
    [Theory]
    [InlineData("0.49", false)]
    [InlineData("0.5", true)]
    public void Egress_by_the_backup_is_down_from_a_half_on_until_it_is_its_own_again(string loss, bool down)
    {
        var told = Play("0,tls,0,", $"90,egress,{loss},", "300,egress,0,", "400,tls,0,");

        Assert.Equal(down ? "Unknown Up Down Up" : "Unknown Up", States(told.Where(v => v.State != UplinkState.Suspect)));
        if (down)
        {
            var verdict = told.Single(v => v.State == UplinkState.Down);
            Assert.Equal(Reasons.Egress, verdict.Reason);
            Assert.InRange(verdict.Seconds, 90, 165);
            Assert.InRange(told[^1].Seconds, 300, 345);
        }
    }

    [Fact]
    public void Bastion_is_asked_only_once_it_is_named()
    {
        // Nobody proves a name but the bastion: with it the answers are the world's, without it they may be a portal's.
        string[] rows = ["0,tls,0,", "60,tls,1,", "200,tls,1,"];

        var without = Play(rows);
        var with = Play([rows[0], "30,bastion,0,80", .. rows[1..]]);

        Assert.Contains(without, v => v.Usable == Usable.No);
        Assert.NotEqual(without, with);
    }

    [Fact]
    public void Http_alone_is_no_outage()
    {
        var told = Play("0,tls,0,", "60,http,1,", "400,tls,0,");

        Assert.All(told.Skip(1), v => Assert.Equal(Usable.Yes, v.Usable));
    }

    [Fact]
    public void Backup_dark_in_the_same_second_is_a_local_fault_that_ends_in_down_when_it_answers()
    {
        var told = Play(["0,tls,0,", .. All(60, 1), "60,backup,1,", "120,backup,0,", "200,tls,1,"]);

        Assert.Equal("Unknown Up Suspect LocalFault Down", States(told));
        Assert.InRange(told[4].Seconds, 127.8m, 135);
    }

    [Fact]
    public void World_ends_at_the_last_row()
    {
        var told = Play(["0,tls,0,", .. All(60, 1), "66,tls,1,"]);

        Assert.Equal("Unknown Up Suspect", States(told));
    }

    [Fact]
    public void Chance_is_the_seed_s()
    {
        string[] rows = ["0,tls,0,", .. Everyone.Select(t => $"10,{t},0.3,"), "4000,tls,0,"];

        Assert.Equal(Play(rows, seed: 7), Play(rows, seed: 7));
        Assert.NotEqual(Play(rows, seed: 7), Play(rows, seed: 8));
    }

    [Fact]
    public void Chance_of_one_target_is_not_another_s()
    {
        string[] rows = ["0,tls,0,", .. Everyone.Select(t => $"10,{t},0.2,")];

        Assert.Equal(Play([.. rows, "2000,http,0,"]), Play([.. rows, "11,http,0.5,", "2000,http,0,"]));
    }

    [Fact]
    public void Forty_days_every_one_of_1200_outages_is_seen()
    {
        var random = new Random(1);
        var rows = new List<string> { "0,tls,0," };
        var t = 0.0;
        for (var i = 0; i < 1200; i++)
        {
            t += 1500 + (random.NextDouble() * 2000);
            rows.AddRange(All(Math.Round(t, 3), 1));
            t += 120 + (random.NextDouble() * 480);
            rows.AddRange(All(Math.Round(t, 3), 0));
        }

        var told = Play([.. rows, $"{t + 700:F0},tls,0,"]);

        Assert.Equal(1200, told.Count(v => v.State == UplinkState.Down));
        Assert.Equal(1201, told.Count(v => v.State == UplinkState.Up));
    }

    /// <summary>Any trace that reads also plays, and every state that it tells has its usability.</summary>
    [Fact]
    public void Fuzz_whatever_reads_also_plays()
    {
        var words = TraceTargets.Words.Select(w => w.Word).ToArray();
        for (var seed = 1; seed <= 60; seed++)
        {
            var random = new Random(seed);
            var rows = new List<string>();
            for (var t = 0.0; t < 1500; t += random.NextDouble() * 40)
            {
                var loss = random.Next(3) switch { 0 => 0, 1 => 1, _ => random.NextDouble() };
                var rtt = random.Next(4) == 0 ? $"{random.NextDouble() * 1500}" : "";
                rows.Add($"{t},{words[random.Next(words.Length)]},{loss},{rtt}");
            }

            var told = Play([.. rows], seed: (ulong)seed);

            var last = 0m;
            foreach (var verdict in told)
            {
                var usable = verdict.State switch
                {
                    UplinkState.Up or UplinkState.Suspect or UplinkState.Degraded => Usable.Yes,
                    UplinkState.Unknown or UplinkState.LocalFault => Usable.Unknown,
                    _ => Usable.No,
                };
                Assert.True(verdict.Usable == usable && verdict.Seconds >= last, $"seed {seed}: {verdict}");
                last = verdict.Seconds;
            }
        }
    }

    private static IEnumerable<string> All(double t, int loss) => Everyone.Select(target => $"{t},{target},{loss},");

    private static string States(IEnumerable<TraceVerdict> told) => string.Join(' ', told.Select(v => v.State));

    private static List<TraceVerdict> Play(params string[] rows) => Play(rows, DetectorPreset.Balanced);

    private static List<TraceVerdict> Play(string[] rows, DetectorPreset preset = DetectorPreset.Balanced, ulong seed = 1)
    {
        var reader = new TraceReader(new StringReader("t_s,target,loss,rtt_ms\n" + string.Join('\n', rows)));
        var read = reader.Rows().ToList();
        Assert.Empty(reader.Errors);
        var told = new List<TraceVerdict>();
        var play = new TracePlay(TraceOutline.Of(read), preset, seed, told.Add);
        read.ForEach(row => play.Apply(row));
        play.End();
        return told;
    }
}
