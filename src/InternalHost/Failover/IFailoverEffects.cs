using Microsoft.Data.Sqlite;

namespace InternalHost.Failover;

/// <summary>
/// Port to everything the controller acts on. <see cref="Run"/> starts the work and returns; the answer comes back as an event.
/// </summary>
internal interface IFailoverEffects
{
    void Run(FailoverEffect effect);

    /// <summary>Puts the alert into the outbox, in the transaction that journals the transition.</summary>
    void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert);

    /// <summary>The journal cannot be written: the alert goes out from memory.</summary>
    void AddAlertInMemory(FailoverEffect.RaiseAlert alert);

    /// <summary>What was added is committed: it may leave.</summary>
    void AlertsAdded();
}
