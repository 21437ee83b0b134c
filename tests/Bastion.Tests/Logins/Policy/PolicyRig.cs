using System.Net;
using Bastion.Agent;
using Bastion.Configuration;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Journal;
using Testing;

namespace Bastion.Tests.Logins.Policy;

/// <summary>The policy on a real file, over a clock that is moved by hand; restarted, and moved into another boot, as a test wants.</summary>
internal sealed class PolicyRig : IDisposable
{
    public const string AliceKey = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    public const string BobKey = "SHA256:h8lPXsdzK3m0XrtEhvVM6uwwxXr04g2MrypizyDaOFs";
    public const string SiteKey = "SHA256:1111111111111111111111111111111111111111111";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("policy");
    private readonly FakeTime _firstBoot = new();
    private LoginScene _scene;
    private LoginRecorder _recorder = null!;
    private int _next;

    public PolicyRig(Func<LoginScene, LoginScene>? change = null)
    {
        var scene = new LoginScene(
            "home", "bastion-home",
            [
                new Identity(AliceKey, LoginRole.Person, "alice", "phone"), new Identity(BobKey, LoginRole.Person, "bob", "laptop"),
                new Identity(SiteKey, LoginRole.Site, "home"),
            ],
            null, "boot-1", [Route.Sms("+15551230001")]);
        (_scene, Time) = (change?.Invoke(scene) ?? scene, _firstBoot);
        Time.Advance(TimeSpan.FromDays(9));
        Start();
    }

    public FakeTime Time { get; private set; }

    public LoginPolicy Policy { get; private set; } = null!;

    public Database Database { get; private set; } = null!;

    public string File => Path.Combine(_folder.FullName, "bastion.db");

    /// <summary>Every message there is, oldest first.</summary>
    public List<(string Kind, string Text)> Told => Database.Read(c => c.Sql("SELECT kind, text FROM alerts ORDER BY seq").List(r => (r.GetString(0), r.GetString(1))));

    public int Count(string sql) => Database.Read(c => c.Sql(sql).List(r => r.GetInt32(0)))[0];

    public string? Silence => Database.Read(c => c.Sql("SELECT silence FROM logins ORDER BY seq DESC LIMIT 1").List(r => r.IsDBNull(0) ? null : r.GetString(0)))[0];

    /// <summary>The program ends and begins again, on the same machine or after a reboot: the monotonic clock then starts low again.</summary>
    public void Restart(string? boot = null)
    {
        Database.Dispose();
        if (boot is not null)
        {
            _scene = _scene with { Boot = boot };
            Time = new FakeTime();
        }

        Start();
    }

    public void Login(string key, string user, string from = "198.51.100.7", int port = 40000) =>
        Read(new SshdMessage.Accepted("publickey", user, new IPEndPoint(IPAddress.Parse(from), port), new PublicKey("ED25519", key), false));

    public void ByPassword(string user, string from = "198.51.100.7", int port = 40000) =>
        Read(new SshdMessage.Accepted("password", user, new IPEndPoint(IPAddress.Parse(from), port), null, false));

    public void Fail(string user, string from, int port) => Read(new SshdMessage.InvalidUser(user, new IPEndPoint(IPAddress.Parse(from), port)));

    /// <summary>Lines of the log, in one batch.</summary>
    public void Read(params IEnumerable<SshdMessage> messages) => Turn(messages);

    /// <summary>Lets the time pass, and the policy tell what comes due on the way.</summary>
    public void Pass(TimeSpan span)
    {
        var end = Time.GetTimestamp() + span.Ticks;
        while (Policy.Due.Ticks <= end)
        {
            Time.Advance(TimeSpan.FromTicks(Math.Max(0, Policy.Due.Ticks - Time.GetTimestamp())));
            Turn([]);
        }

        Time.Advance(TimeSpan.FromTicks(end - Time.GetTimestamp()));
    }

    public void Dispose()
    {
        Database.Dispose();
        _folder.Delete(recursive: true);
    }

    private void Start()
    {
        Database = Database.Open(File, AgentState.Migrations);
        // No power is cut here, and thousands of flushes would take their time.
        Database.Read(c => c.Sql("PRAGMA synchronous=OFF").Run());
        Policy = new LoginPolicy(() => _scene, Time);
        _recorder = new LoginRecorder(() => _scene, Policy, Time);
        Turn([]);
    }

    private void Turn(IEnumerable<SshdMessage> messages)
    {
        Database.Write(transaction =>
        {
            Policy.Begin(transaction);
            Policy.TellDue(transaction);
            foreach (var entry in messages.Select(m => new LogEntry(new AuthLogLine(m, ++_next, null), "text", $"1:{_next}", false)))
            {
                Policy.Note(entry);
                if (LoginSighting.Of(entry) is { } sighting)
                {
                    _recorder.Record(transaction, sighting);
                }
            }

            Policy.End(transaction);
        });
        Policy.Committed();
    }
}
