using Bastion.Logins;
using Bastion.People;
using Common.Logins;
using Common.Logins.Recording;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Hosting;
using Common.Journal;

namespace Bastion.Agent;

/// <summary>The agent's memory across crashes: one folder, owned by one agent at a time.</summary>
internal sealed class AgentState : IDisposable
{
    public const string FileName = "bastion.db";

    /// <summary>Appended to, never changed: what is on disk was made by the entries before.</summary>
    public static readonly string[] Migrations = [Outbox.Migration, LoginStore.Schema, LogPosition.Schema, Outbox.DetailsMigration, LoginPolicyStore.Migration, LoginSightings.Schema, LoginStore.EventsMigration, LoginStore.WayMigration, ReachedStore.Migration, LoginRetention.Migration, EvictionAlert.Migration];

    private readonly StateLock _lock;

    private AgentState(StateLock held, Database database) => (_lock, Database) = (held, database);

    public Database Database { get; }

    /// <exception cref="StartRefusedException">Another agent has it, or it cannot be used.</exception>
    public static AgentState Open(string directory)
    {
        var held = StateLock.Take(directory);
        try
        {
            return new AgentState(held, Database.Open(Path.Combine(directory, FileName), Migrations));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Database.Dispose();
        _lock.Dispose();
    }
}
