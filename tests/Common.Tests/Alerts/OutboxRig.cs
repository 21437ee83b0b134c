using Common.Alerts;
using Common.Journal;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Common.Tests.Alerts;

/// <summary>An outbox on a real file, stepped by hand over a fake clock.</summary>
internal sealed class OutboxRig : IDisposable
{
    public static readonly Route Alice = new("sms", "+15550100001", "alice");
    public static readonly Route Bob = new("sms", "+15550100002", "bob");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("outbox");
    private readonly FakeChannel[] _channels;

    public OutboxRig(params FakeChannel[] channels)
    {
        _channels = channels.Length == 0 ? [Sms] : channels;
        Database = Open();
        Outbox = new Outbox(Database);
        Service = NewService();
    }

    public Func<Alert, TimeSpan> Hold { get; init; } = _ => TimeSpan.Zero;

    public FakeTime Time { get; } = new();

    public FakeChannel Sms { get; } = new();

    public Database Database { get; private set; }

    public Outbox Outbox { get; private set; }

    public OutboxService Service { get; private set; }

    public OutboxSnapshot Snapshot => Service.Snapshot;

    public static Alert Alert(string id, Severity severity = Severity.High, string kind = "open", string? about = "17", string? plain = null) =>
        new(id, kind, severity, $"home: something happened #{id}", FakeTime.Epoch + TimeSpan.FromHours(1), about, plain);

    public void Raise(string id, params Route[] routes) => Outbox.Raise(Alert(id), routes.Length == 0 ? [Alice] : routes);

    /// <summary>Lets the service do all that it can at this moment.</summary>
    public async Task TurnAsync()
    {
        Service.Turn();
        while (Service.Asked is { IsCompleted: true } && Service.HasAnswers)
        {
            Service.Turn();
        }

        await Task.CompletedTask;
    }

    /// <summary>Moves the clock from one wake to the next until the span is over.</summary>
    public async Task PassAsync(TimeSpan span)
    {
        var end = Time.GetTimestamp() + span.Ticks;
        await TurnAsync();
        for (var next = Service.NextWake().Ticks; next <= end; next = Service.NextWake().Ticks)
        {
            Time.Advance(TimeSpan.FromTicks(Math.Max(0, next - Time.GetTimestamp())));
            await TurnAsync();
        }

        Time.Advance(TimeSpan.FromTicks(end - Time.GetTimestamp()));
        await TurnAsync();
    }

    /// <summary>Kill -9: nothing is finished, nothing is flushed, the file is opened anew.</summary>
    public void Crash()
    {
        Database.Dispose();
        Database = Open();
        Outbox = new Outbox(Database);
        Service = NewService();
    }

    public void Pragma(string pragma) => Database.Read(connection => connection.Sql($"PRAGMA {pragma}").Run());

    public void Dispose()
    {
        Database.Dispose();
        _folder.Delete(recursive: true);
    }

    private Database Open() => Database.Open(Path.Combine(_folder.FullName, "state.db"), "CREATE TABLE journal(entry TEXT)", Outbox.Migration, Outbox.DetailsMigration);

    private OutboxService NewService() => new(Outbox, _channels, Time, NullLogger<OutboxService>.Instance, jitter: () => 0.5)
    {
        Site = "home",
        Hold = alert => Hold(alert),
    };
}
