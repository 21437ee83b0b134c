using Common.Alerts;
using Common.Journal;
using Testing;

namespace Common.Tests.Alerts;

/// <summary>I4: no alert is lost, none is doubled, through a crash between any two steps and with a disk that fails.</summary>
public sealed class OutboxSurvivalTests
{
    private static readonly Task<SendOutcome> Never = new TaskCompletionSource<SendOutcome>().Task;

    [Theory]
    [InlineData("before anything was done")]
    [InlineData("request left, not arrived")]
    [InlineData("request arrived, answer not read")]
    [InlineData("answer lost, not yet looked")]
    [InlineData("looked once")]
    [InlineData("accepted, not yet asked")]
    [InlineData("asked, underway")]
    [InlineData("confirmed")]
    public async Task Killed_at_any_point_it_is_told_exactly_once(string point)
    {
        using var rig = new OutboxRig();
        await BringToAsync(rig, point);

        rig.Crash();
        rig.Sms.Status = _ => new(DeliveryState.Delivered);
        rig.Raise("AAAA");
        await rig.PassAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(["AAAA"], rig.Sms.Held.Values.Select(m => m.AlertId));
        Assert.Equal((0, 0), (rig.Snapshot.Pending, rig.Snapshot.Dead));
    }

    private static async Task BringToAsync(OutboxRig rig, string point)
    {
        _ = point switch
        {
            "request left, not arrived" => rig.Sms.Next(_ => Never),
            "request arrived, answer not read" => rig.Sms.Next(m =>
            {
                rig.Sms.Keep(m);
                return Never;
            }),
            "answer lost, not yet looked" or "looked once" => rig.Sms.Next(new SendOutcome.Unclear("lost")),
            _ => rig.Sms,
        };
        rig.Sms.Status = _ => new(point == "confirmed" ? DeliveryState.Delivered : DeliveryState.Underway);
        rig.Raise("AAAA");
        var steps = point switch { "before anything was done" => -1, "looked once" or "asked, underway" or "confirmed" => 3, _ => 0 };
        if (steps >= 0)
        {
            await rig.PassAsync(TimeSpan.FromSeconds(steps));
        }
    }

    [Theory]
    [InlineData("query_only=1", "query_only=0", "read-only")]
    [InlineData("max_page_count=1", "max_page_count=1000000", "disk full")]
    public async Task Disk_that_cannot_be_written_stops_no_alert_and_gets_all_of_it_later(string fail, string mend, string words)
    {
        using var rig = new OutboxRig();
        rig.Sms.Status = _ => new(DeliveryState.Underway);
        rig.Raise("AAAA");
        await rig.TurnAsync();
        Fill(rig);
        rig.Pragma(fail);

        for (var i = 0; i < 20; i++)
        {
            Assert.True(rig.Outbox.Raise(OutboxRig.Alert($"BB{(char)('A' + i)}") with { Text = Long($"BB{(char)('A' + i)}") }, [OutboxRig.Bob]));
        }

        Assert.False(rig.Outbox.Raise(OutboxRig.Alert("AAAA"), [OutboxRig.Alice]));
        Assert.False(rig.Outbox.Raise(OutboxRig.Alert("BBA"), [OutboxRig.Bob]));
        await rig.PassAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(21, rig.Sms.Held.Count);
        Assert.Contains(words, rig.Snapshot.Problem, StringComparison.Ordinal);

        rig.Pragma(mend);
        await rig.PassAsync(TimeSpan.FromSeconds(15));
        Assert.Null(rig.Snapshot.Problem);

        rig.Crash();
        rig.Sms.Status = _ => new(DeliveryState.Delivered);
        await rig.PassAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((21, 0), (rig.Sms.Held.Count, rig.Snapshot.Pending));
        Assert.Equal(21, rig.Database.Read(c => c.Sql("SELECT id FROM alerts").List(r => r.GetString(0))).Count);
    }

    [Fact]
    public async Task Disk_says_sending_before_the_request_leaves()
    {
        using var rig = new OutboxRig();
        var onDisk = new List<int>();
        rig.Sms.Next(message =>
        {
            onDisk = rig.Database.Read(c => c.Sql("SELECT phase FROM deliveries").List(r => r.GetInt32(0)));
            return Task.FromResult<SendOutcome>(new SendOutcome.Accepted(rig.Sms.Keep(message)));
        });
        rig.Raise("AAAA");

        await rig.TurnAsync();

        Assert.Equal([(int)DeliveryPhase.Sending], onDisk);
    }

    [Fact]
    public async Task Sent_while_the_disk_failed_and_then_killed_is_not_sent_again()
    {
        using var rig = new OutboxRig();
        rig.Raise("AAAA");
        rig.Pragma("query_only=1");
        await rig.TurnAsync();
        Assert.Single(rig.Sms.Held);

        rig.Crash();
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Single(rig.Sms.Held);
        Assert.Equal(0, rig.Snapshot.Pending);
    }

    [Fact]
    public async Task Two_alerts_that_meet_in_one_id_while_the_disk_fails_are_both_told_and_kept()
    {
        using var rig = new OutboxRig();
        rig.Pragma("query_only=1");

        Assert.True(rig.Outbox.Raise(OutboxRig.Alert("AAAA", kind: "open"), [OutboxRig.Alice]));
        Assert.True(rig.Outbox.Raise(OutboxRig.Alert("AAAA", kind: "closed"), [OutboxRig.Alice]));
        Assert.False(rig.Outbox.Raise(OutboxRig.Alert("AAAA", kind: "closed"), [OutboxRig.Alice]));
        rig.Pragma("query_only=0");
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(2, rig.Sms.Held.Count);
        Assert.Equal(["closed", "open"], rig.Database.Read(c => c.Sql("SELECT kind FROM alerts ORDER BY kind").List(r => r.GetString(0))));
    }

    /// <summary>Twelve alerts through a gateway that loses requests and answers, a disk that comes and goes, and kills in between.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task In_any_weather_ids_at_the_gateway_equal_ids_raised(int block)
    {
        for (var seed = block * 12; seed < (block + 1) * 12; seed++)
        {
            var random = new Random(seed);
            using var rig = new OutboxRig();
            var raised = new List<string>();
            var disk = true;
            var inMemoryOnly = false;
            for (var step = 0; step < 30; step++)
            {
                Weather(rig, random);
                switch (random.Next(6))
                {
                    case 0 when raised.Count < 12:
                        raised.Add($"AL{AlertId.Alphabet[raised.Count]}");
                        rig.Raise(raised[^1], random.Next(2) == 0 ? OutboxRig.Alice : OutboxRig.Bob);
                        inMemoryOnly |= !disk;
                        break;
                    case 1 when !inMemoryOnly:
                        rig.Crash();
                        disk = true;
                        break;
                    case 2:
                        disk = !disk;
                        rig.Pragma(disk ? "query_only=0" : "query_only=1");
                        break;
                    default:
                        await rig.PassAsync(TimeSpan.FromSeconds(random.Next(0, 20)));
                        inMemoryOnly &= !disk || rig.Snapshot.Problem is not null;
                        break;
                }
            }

            rig.Pragma("query_only=0");
            rig.Sms.Look = null;
            rig.Sms.Status = _ => new(DeliveryState.Delivered);
            await rig.PassAsync(TimeSpan.FromMinutes(30));

            Assert.True(raised.Order().SequenceEqual(rig.Sms.Held.Values.Select(m => m.AlertId).Order()), $"seed {seed}: raised {string.Join(' ', raised)}, at the gateway {string.Join(' ', rig.Sms.Held.Values.Select(m => m.AlertId))}");
            Assert.True(rig.Snapshot is { Pending: 0, Dead: 0, Problem: null }, $"seed {seed}: {rig.Snapshot}");
        }
    }

    private static void Weather(OutboxRig rig, Random random)
    {
        if (random.Next(3) == 0)
        {
            _ = random.Next(3) switch
            {
                0 => rig.Sms.Next(new SendOutcome.NotNow("429", TimeSpan.FromSeconds(random.Next(30)))),
                1 => rig.Sms.Next(new SendOutcome.Unclear("lost request")),
                _ => rig.Sms.NextIsTakenAndLost(),
            };
        }

        var underway = random.Next(2) == 0;
        rig.Sms.Status = _ => new(underway ? DeliveryState.Underway : DeliveryState.Delivered);
        var blind = random.Next(4) == 0;
        rig.Sms.Look = blind ? _ => throw new HttpRequestException("list not answered") : null;
    }

    private static string Long(string id) => new string('x', 600) + " #" + id;

    /// <summary>Uses up the free space inside the pages that the file has.</summary>
    private static void Fill(OutboxRig rig) => rig.Database.Write(t => t.Sql("INSERT INTO journal VALUES($x)", ("$x", new string('y', 3_000))).Run());
}
