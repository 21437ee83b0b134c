using Common.Logins;
using Microsoft.Data.Sqlite;

namespace InternalHost.Logins;

/// <summary>There is no log of sshd here: the hook alone tells of logins.</summary>
internal sealed class NoLog : ILogSource
{
    private static readonly LogBatch Nothing = new([], Moved: false, More: false, null, new object());

    public string? Trouble => null;

    public void Start(Action wake)
    {
    }

    public LogBatch Read() => Nothing;

    public void Save(SqliteTransaction transaction, LogBatch batch)
    {
    }

    public void Passed(LogBatch batch)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
