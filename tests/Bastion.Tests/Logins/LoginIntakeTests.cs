using System.Collections.Immutable;
using System.Text;
using Bastion.Agent;
using Bastion.Configuration;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Journal;
using Common.Logins.Spool;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Bastion.Tests.Logins;

/// <summary>The hook's spool and sshd's log together, in virtual time.</summary>
public sealed class LoginIntakeTests : IAsyncLifetime
{
    private const string Boot = "9d912f25-ca01-4677-bb59-a2cf6ea63fa7";
    private const string Key = "AAAAC3NzaC1lZDI1NTE5AAAAIG/j2pIHgdN7RhpqLOIn9n2XUc2A6Zb/JEHnPXhcRbZ6";
    private const string Fingerprint = "SHA256:j3JXVQalxbROTHEHo91jBYywUgLQQDYEQB8v4syC5so";
    private readonly string _folder = Directory.CreateTempSubdirectory("intake").FullName;
    private readonly FakeTime _time = new();
    private readonly Database _database = Database.Open(":memory:", AgentState.Migrations);
    private readonly ScriptedLog _log = new();
    private LoginIntake _intake = null!;

    public Task InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "new"));
        _intake = Intake();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _intake.DisposeAsync();
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Login_that_both_sources_tell_is_one_record_and_one_alert(bool hookFirst)
    {
        Tell(hookFirst);
        Pass();
        Tell(!hookFirst);
        Pass();
        _time.Advance(TimeSpan.FromMinutes(1));
        Pass();

        Assert.Equal((1, 1), (Count("logins"), Count("alerts")));
        Assert.Equal(("publickey", Fingerprint, 3L, 2L), Row());

        void Tell(bool hook)
        {
            if (hook)
            {
                Hook();
            }
            else
            {
                Log();
            }
        }
    }

    [Fact]
    public void What_only_the_hook_knows_stays_when_the_log_tells_of_it_too()
    {
        Hook(100, "7,8", "SSH_CONNECTION=198.51.100.7 40000 192.0.2.1 49022", "PAM_SERVICE=sshd", "PAM_USER=alice", "PAM_TYPE=open_session");
        Pass();
        Log();
        Pass();

        Assert.Equal((2L, 3L), _database.Read(c => c.Sql("SELECT evicted, sources FROM logins").List(r => (r.GetInt64(0), r.GetInt64(1))))[0]);
    }

    [Fact]
    public void Hook_alone_is_told_and_is_nothing_remarkable()
    {
        Hook();
        Pass();
        _time.Advance(TimeSpan.FromMinutes(1));
        Pass();

        Assert.Equal("4", Severities());   // a key in no list
        Assert.DoesNotContain("PAM", Texts().Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Log_alone_is_told_at_once_and_is_critical_after_ten_seconds()
    {
        Log();
        Pass();
        Assert.Single(Texts());

        _time.Advance(TimeSpan.FromSeconds(9));
        Pass();
        Assert.Single(Texts());
        _time.Advance(TimeSpan.FromSeconds(2));
        Pass();
        _time.Advance(TimeSpan.FromMinutes(5));
        Pass();

        Assert.Equal("4 4", Severities());
        Assert.Contains("(not seen by PAM)", Texts()[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_alone_is_critical_also_when_the_agent_dies_in_between()
    {
        Log();
        Pass();
        await _intake.DisposeAsync();
        _intake = Intake();
        _time.Advance(TimeSpan.FromSeconds(11));
        Pass();

        Assert.Equal(2, Count("alerts"));
    }

    [Fact]
    public void Hook_that_could_not_write_is_a_gap_and_not_an_alarm()
    {
        Log();
        _log.Add(new SshdMessage.NotSpooled(4000), "cry");
        Pass();
        _time.Advance(TimeSpan.FromSeconds(11));
        Pass();

        Assert.Equal(2, Count("alerts"));
        Assert.Contains("1 event may be missing", Texts()[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_spool_nobody_waits_for_a_hook()
    {
        Directory.Delete(Path.Combine(_folder, "new"));
        Log();
        Pass();
        _time.Advance(TimeSpan.FromMinutes(1));
        Pass();

        Assert.Equal(2, Count("alerts"));
        Assert.Contains("spool cannot be read", Texts().Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void Backlog_from_before_we_came_has_no_hook_to_wait_for()
    {
        Log(backlog: true);
        Pass();
        _time.Advance(TimeSpan.FromMinutes(1));
        Pass();

        Assert.Equal(1, Count("alerts"));
    }

    [Fact]
    public void Event_whose_file_comes_again_is_one_login()
    {
        Hook();
        Pass();
        Hook();
        Pass();

        Assert.Equal((1, 1), (Count("logins"), Count("alerts")));
    }

    [Fact]
    public void Next_login_of_a_process_with_the_same_number_is_another_login()
    {
        Hook(ticks: 100);
        Log(line: "a");
        Pass();
        Hook(ticks: 200);
        Log(line: "b");
        Pass();
        _time.Advance(TimeSpan.FromSeconds(11));
        Pass();

        Assert.Equal((2, 2), (Count("logins"), Count("alerts")));
    }

    [Fact]
    public void Line_of_an_earlier_boot_does_not_take_this_boots_hook()
    {
        Hook();
        Log(boot: "00000000-0000-0000-0000-000000000001");
        Pass();

        Assert.Equal(2, Count("logins"));
    }

    [Fact]
    public void Files_that_are_no_events_are_told_once_with_their_number()
    {
        File.WriteAllText(Path.Combine(_folder, "new", "a"), "");
        File.WriteAllText(Path.Combine(_folder, "new", "b"), "");
        Pass();
        Pass();

        Assert.Contains("2 events may be missing", Assert.Single(Texts()), StringComparison.Ordinal);
    }

    [Fact]
    public void Sudo_is_a_record_of_its_own_and_names_who_asked()
    {
        Hook("PAM_SERVICE=sudo", "PAM_USER=root", "PAM_RUSER=alice", "PAM_TTY=/dev/pts/1", "PAM_TYPE=open_session");
        Pass();

        Assert.Equal((1, 1), (Count("logins"), Count("alerts")));
        Assert.Equal(("sudo", "alice", "/dev/pts/1"), _database.Read(c => c.Sql("SELECT service, by_user, tty FROM logins")
            .List(r => (r.GetString(0), r.GetString(1), r.GetString(2))))[0]);
    }

    [Fact]
    public void Unwritable_disk_tells_a_login_of_two_sources_once()
    {
        var outbox = new Outbox(_database);
        _database.Write(t => t.Sql("CREATE TRIGGER full BEFORE INSERT ON logins BEGIN SELECT RAISE(ABORT, 'full'); END").Run());
        Hook();
        Assert.Throws<SqliteException>(Pass);
        File.Delete(Directory.GetFiles(Path.Combine(_folder, "new"))[0]);
        Log();
        Assert.Throws<SqliteException>(Pass);

        _database.Write(t => t.Sql("DROP TRIGGER full").Run());
        Hook();
        Pass();

        Assert.Equal((1, 1), (Count("logins"), Count("alerts")));
        Assert.NotNull(outbox);
    }

    private LoginIntake Intake()
    {
        var scene = new LoginScene("home", "bastion-home", ImmutableArray<Identity>.Empty, null, Boot, [Route.Sms("+15551230001")]) { HookExpected = true };
        var policy = new LoginPolicy(() => scene, _time);
        return new LoginIntake(
            _log, new HookSpool(_folder, _ => true, _time), new LoginRecorder(() => scene, policy, _time), policy, new GapAlert(() => scene, _time), _database, new Outbox(_database), Boot, _time,
            NullLogger<LoginIntake>.Instance);
    }

    private void Pass() => _intake.Pass(CancellationToken.None);

    private void Log(bool backlog = false, string line = "line", string? boot = Boot) => _log.Add(
        SshdMessageParser.Parse($"Accepted publickey for alice from 198.51.100.7 port 40000 ssh2: ED25519 {Fingerprint}"), line, backlog, boot);

    private void Hook(int ticks = 100) => Hook(
        ticks, "", $"SSH_AUTH_INFO_0=publickey ssh-ed25519 {Key}\n", "SSH_CONNECTION=198.51.100.7 40000 192.0.2.1 49022", "PAM_SERVICE=sshd", "PAM_USER=alice", "PAM_TYPE=open_session");

    private void Hook(params string[] variables) => Hook(100, "", variables);

    private void Hook(int ticks, string evicted, params string[] variables)
    {
        var text = $"bastion-hook 1 boot={Boot} pid=4001 monitor=4000 ticks={ticks} evicted={evicted}\n" + string.Concat(variables.Select(v => v + "\0"));
        var path = Path.Combine(_folder, "new", $"{Boot}.4001.{ticks}");
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(text));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private (string Method, string Key, long Sources, long Hook) Row() => _database.Read(c => c.Sql("SELECT method, fingerprint, sources, hook FROM logins")
        .List(r => (r.GetString(0), r.GetString(1), r.GetInt64(2), r.GetInt64(3))))[0];

    private string Severities() => string.Join(' ', _database.Read(c => c.Sql("SELECT severity FROM alerts ORDER BY seq").List(r => r.GetInt32(0))));

    private List<string> Texts() => _database.Read(c => c.Sql("SELECT text FROM alerts ORDER BY seq").List(r => r.GetString(0)));

    private int Count(string table) => _database.Read(c => c.Sql($"SELECT count(*) FROM {table}").List(r => r.GetInt32(0)))[0];

    private sealed class ScriptedLog : ILogSource
    {
        private readonly List<LogEntry> _entries = [];

        public string? Trouble => null;

        public void Add(SshdMessage message, string line, bool backlog = false, string? boot = Boot) =>
            _entries.Add(new LogEntry(new AuthLogLine(message, 4000, null) { Boot = boot }, line, line, backlog));

        public void Start(Action wake)
        {
        }

        public LogBatch Read() => new([.. _entries], _entries.Count > 0, false, null, "");

        public void Save(SqliteTransaction transaction, LogBatch batch)
        {
        }

        public void Passed(LogBatch batch) => _entries.Clear();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
