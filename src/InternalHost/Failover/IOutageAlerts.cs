using Microsoft.Data.Sqlite;

namespace InternalHost.Failover;

/// <summary>Turns the controller's alerts into words and puts them into the outbox.</summary>
internal interface IOutageAlerts
{
    void Add(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert);

    void AddInMemory(FailoverEffect.RaiseAlert alert);

    /// <summary>What was added is committed and may leave.</summary>
    void Wake();
}
