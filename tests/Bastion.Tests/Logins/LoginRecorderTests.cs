using System.Net;
using Bastion.Agent;
using Bastion.Configuration;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Common.Logins.Policy;
using Bastion.Sessions;
using Common.Alerts;
using Common.Journal;
using Common.Time;
using Microsoft.Data.Sqlite;
using Testing;

namespace Bastion.Tests.Logins;

public sealed class LoginRecorderTests : IDisposable
{
    private const string AliceKey = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    private const string SiteKey = "SHA256:h8lPXsdzK3m0XrtEhvVM6uwwxXr04g2MrypizyDaOFs";
    private readonly FakeTime _time = new();
    private readonly Database _database = Database.Open(":memory:", AgentState.Migrations);
    private readonly LoginRecorder _recorder;
    private readonly LoginPolicy _policy;
    private int _next;

    public LoginRecorderTests()
    {
        var scene = new LoginScene(
            "home", "bastion-home", [new Identity(AliceKey, LoginRole.Person, "alice", "phone"), new Identity(SiteKey, LoginRole.Site, "home")],
            null, "boot-1", [Route.Sms("+15551230001")]);
        _policy = new LoginPolicy(() => scene, _time);
        _recorder = new LoginRecorder(() => scene, _policy, _time);
    }

    public void Dispose() => _database.Dispose();

    [Fact]
    public void Known_persons_login_becomes_a_record_and_one_message_in_one_segment()
    {
        Record(Login(AliceKey, "alice"));

        var text = Assert.Single(Texts());
        Assert.StartsWith("home LOGIN 01:00: alice, phone key, from 198.51.100.7 (new network). Not you? Stop VM bastion-home in cloud app. #", text, StringComparison.Ordinal);
        Assert.Equal((1, (int)Severity.High), (Count("logins"), Number("SELECT severity FROM logins")));
    }

    [Fact]
    public void Second_login_from_there_is_told_and_no_longer_new()
    {
        Record(Login(AliceKey, "alice", "198.51.100.7"));
        _time.Advance(TimeSpan.FromMinutes(6));
        Record(Login(AliceKey, "alice", "198.51.100.99"));
        Record(Login(AliceKey, "alice", "203.0.113.1"));

        Assert.Equal([true, false, true], Texts().Select(t => t.Contains("new network", StringComparison.Ordinal)));
    }

    [Fact]
    public void Ipv6_source_is_told_and_remembered_as_its_64()
    {
        Record(Login(AliceKey, "alice", "2001:db8:1:2:3:4:5:6"));
        _time.Advance(TimeSpan.FromMinutes(6));
        Record(Login(AliceKey, "alice", "2001:db8:1:2:ffff::1"));

        Assert.Contains("from 2001:db8:1:2::/64", Texts()[0], StringComparison.Ordinal);
        Assert.DoesNotContain("new network", Texts()[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Site_tunnel_is_recorded_and_not_pushed()
    {
        Record(Login(SiteKey, "site-home"));

        Assert.Equal((1, 0), (Count("logins"), Count("alerts")));
    }

    [Fact]
    public void Line_read_twice_is_one_login()
    {
        var entry = Entry(Login(AliceKey, "alice"), "1:0");

        Assert.NotNull(Write(t => _recorder.Record(t, LoginSighting.Of(entry)!)));
        Assert.Null(Write(t => _recorder.Record(t, LoginSighting.Of(entry)!)));

        Assert.Equal((1, 1), (Count("logins"), Count("alerts")));
    }

    [Fact]
    public void Same_line_has_the_same_id_in_another_run()
    {
        var entry = Entry(Login(AliceKey, "alice"), "1:0");

        var kept = Write(t => _recorder.Record(t, LoginSighting.Of(entry)!));
        var unkept = Assert.Single(_recorder.WithoutRecord([LoginSighting.Of(entry)!])).Alert;

        Assert.Equal(kept!.Alert!.Id, unkept.Id);
        Assert.EndsWith("#" + unkept.Id, unkept.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Told_from_memory_while_the_disk_failed_is_not_told_again()
    {
        var entry = Entry(Login(AliceKey, "alice"), "1:0");
        var outbox = new Outbox(_database);
        _recorder.WithoutRecord([LoginSighting.Of(entry)!]).ForEach(a => outbox.Raise(a.Alert, a.Routes));

        Write(t => _recorder.Record(t, LoginSighting.Of(entry)!));

        Assert.Equal((1, 1), (Count("logins"), Count("alerts")));
    }

    [Fact]
    public void Storm_while_the_disk_fails_stays_within_the_budget_however_often_it_is_tried()
    {
        var logins = Enumerable.Range(0, 100).Select(n => LoginSighting.Of(Entry(Login(AliceKey, "alice"), $"1:{n}", pid: n))!).ToList();

        var first = _recorder.WithoutRecord(logins).ConvertAll(a => a.Alert.Id);
        var again = _recorder.WithoutRecord(logins).ConvertAll(a => a.Alert.Id);

        Assert.Equal(3, first.Count);
        Assert.Equal(first, again);
    }

    [Fact]
    public void Thousands_of_logins_have_as_many_ids()
    {
        Write(t =>
        {
            for (var n = 0; n < 4000; n++)
            {
                var entry = Entry(Login(AliceKey, "alice"), $"1:{n}", pid: n);
                _recorder.Record(t, LoginSighting.Of(entry)!);
            }
        });

        Assert.Equal((4000, 1), (Number("SELECT count(DISTINCT alert_id) FROM logins"), Count("alerts")));
        Assert.True(Number("SELECT count(*) FROM logins WHERE length(alert_id) > 4") > 0);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(0, false)]
    public void Only_old_backlog_is_history(int hoursAgo, bool history)
    {
        var entry = Entry(Login("SHA256:0000000000000000000000000000000000000000000", "bob"), "1:0") with { Backlog = true };
        entry = entry with { Line = entry.Line with { At = _time.GetUtcNow().AddHours(-hoursAgo) } };

        Write(t => _recorder.Record(t, LoginSighting.Of(entry)!));

        Assert.Equal((1, history ? 0 : 1), (Count("logins"), Count("alerts")));
    }

    [Fact]
    public void Hostile_name_leaves_one_segment_of_plain_text_with_its_id()
    {
        Record(new SshdMessage.Accepted("password", "x\u001b[2J\u202e\r\nhome: all well #AAAA", Peer("192.0.2.7"), null, false));

        var text = Assert.Single(Texts());
        Assert.True(Common.Text.SmsText.IsGsm7(text) && Common.Text.SmsText.Septets(text) <= 160);
        Assert.DoesNotContain('\n', text);
        Assert.DoesNotContain('\u001b', text);
        Assert.Contains("BY PASSWORD", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_sessions_are_read_back_by_the_next_run_of_the_same_boot_only()
    {
        Record(Login(AliceKey, "alice"));
        Record(Login(SiteKey, "site-home"));

        var open = _database.Read(c => SessionStore.OpenIn(c, "boot-1"));

        Assert.Equal(["alice", "home"], open.Select(s => s.Name));
        Assert.Equal(["alice"], open.Where(OpenSessions.Counts).Select(s => s.Name));
        Assert.Empty(_database.Read(c => SessionStore.OpenIn(c, "boot-2")));
        Assert.Equal((1, 0), (_database.Read(c => SessionStore.PeopleSince(c, "boot-1")), _database.Read(c => SessionStore.PeopleSince(c, "boot-2"))));
    }

    [Fact]
    public void Closed_session_stays_closed_and_a_socket_is_remembered()
    {
        Record(Login(AliceKey, "alice"));
        Record(Login(AliceKey, "alice"));
        var before = _database.Read(c => SessionStore.OpenIn(c, "boot-1"));

        _database.Write(t => SessionStore.Keep(t, before, [before[1] with { Inode = ulong.MaxValue }], Instant.Now(_time)));

        Assert.Equal(before[1] with { Inode = ulong.MaxValue }, Assert.Single(_database.Read(c => SessionStore.OpenIn(c, "boot-1"))));
    }

    private void Write(Action<SqliteTransaction> work) => Write(t =>
    {
        work(t);
        return 0;
    });

    private T Write<T>(Func<SqliteTransaction, T> work)
    {
        var result = _database.Write(t =>
        {
            _policy.Begin(t);
            _policy.TellDue(t);
            var done = work(t);
            _policy.End(t);
            return done;
        });
        _policy.Committed();
        return result;
    }

    private void Record(SshdMessage.Accepted login)
    {
        var entry = Entry(login, $"1:{_next++}");
        Write(t => _recorder.Record(t, LoginSighting.Of(entry)!));
    }

    private static LogEntry Entry(SshdMessage login, string source, int pid = 1) => new(new AuthLogLine(login, pid, null), "text", source, false);

    private static SshdMessage.Accepted Login(string fingerprint, string user, string from = "198.51.100.7") =>
        new("publickey", user, Peer(from), new PublicKey("ED25519", fingerprint), false);

    private static IPEndPoint Peer(string address) => new(IPAddress.Parse(address), 40000);

    private List<string> Texts() => _database.Read(c => c.Sql("SELECT text FROM alerts ORDER BY seq").List(r => r.GetString(0)));

    private int Count(string table) => Number($"SELECT count(*) FROM {table}");

    private int Number(string sql) => _database.Read(c => c.Sql(sql).List(r => r.GetInt32(0)))[0];
}
