using Common.Alerts;
using Common.Journal;
using InternalHost.Configuration;
using InternalHost.Messages;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Cloud.Inventory;

/// <summary>
/// Looks once a day, by a primary that works, at what lies at the provider for this site. A machine that switched itself off, is paid for and can be
/// made again is destroyed; of the rest that nobody uses the owner is told once a week, while it lasts.
/// </summary>
/// <param name="atPeace">The primary works, and nobody needs the VM.</param>
/// <param name="wallTime">Null while the clock is not to be trusted.</param>
internal sealed partial class CloudReconciler(
    Database database, Outbox outbox, ICloudInventory inventory, ICloud cloud, Func<SiteOptions> options, Func<bool> atPeace,
    Func<DateTimeOffset?> wallTime, TimeProvider time, ILogger<CloudReconciler> log) : BackgroundService
{
    public const string Migration = "CREATE TABLE reconciled (seq INTEGER PRIMARY KEY, wall TEXT NOT NULL, thing TEXT NOT NULL, done TEXT NOT NULL)";

    private const string Looked = "cloud-look";
    private const string Told = "cloud-forgotten";
    private static readonly TimeSpan Pace = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LookEvery = TimeSpan.FromDays(1);
    private static readonly TimeSpan TellEvery = TimeSpan.FromDays(7);

    private readonly OnceTold _memory = new(database);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested && atPeace() && wallTime() is { } now && IsDue(Looked, LookEvery, now))
            {
                await TryLookAsync(now, stoppingToken);
            }
        }
    }

    /// <summary>A clock that was set back makes it due.</summary>
    private bool IsDue(string what, TimeSpan every, DateTimeOffset now) => _memory.When(what) is not { } last || now - last >= every || last > now;

    private async Task TryLookAsync(DateTimeOffset now, CancellationToken ct)
    {
        try
        {
            await LookAsync(now, ct);
        }
        catch (CloudException e)
        {
            NotSeen(log, e.Message);   // in ten minutes again
        }
        catch (SqliteException e)
        {
            NotSeen(log, e.Message);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // We are ending.
        }
    }

    /// <exception cref="CloudException"/>
    /// <exception cref="SqliteException"/>
    internal async Task LookAsync(DateTimeOffset now, CancellationToken ct)
    {
        var seen = await inventory.ListAsync(ct);
        if (seen.Things.FirstOrDefault(t => t.IsLeftOff) is { } left && await DestroyAsync(left, now, ct))
        {
            seen = await inventory.ListAsync(ct);
        }

        var forgotten = seen.Forgotten.ToList();
        database.Write(transaction =>
        {
            OnceTold.Save(transaction, Looked, now);
            if (forgotten.Count == 0)
            {
                OnceTold.Forget(transaction, Told);
            }
        });
        if (forgotten.Count > 0 && IsDue(Told, TellEvery, now))
        {
            Tell(forgotten, now);
        }
    }

    /// <summary>Written down first: it is for ever. One that a person switched off is his, and only told.</summary>
    private async Task<bool> DestroyAsync(CloudThing left, DateTimeOffset now, CancellationToken ct)
    {
        if (await cloud.DescribeAsync(ct) is not { State: InstanceState.Stopped, StoppedByOwner: false } sight || sight.Id != left.Id || !atPeace())
        {
            return false;
        }

        Note(now, left, "destroying: off, paid for, and there is a snapshot to make it again from");
        await cloud.StopAsync(ct);
        Destroyed(log, left.Id);
        Note(now, left, "destroyed");
        return true;
    }

    private void Note(DateTimeOffset now, CloudThing thing, string done) => database.Write(transaction => transaction.Sql(
        "INSERT INTO reconciled (wall, thing, done) VALUES ($wall, $thing, $done)", ("$wall", $"{now.UtcDateTime:O}"), ("$thing", $"{InventoryText.Word(thing.Kind)} {thing.Id}"), ("$done", done)).Run());

    private void Tell(List<CloudThing> forgotten, DateTimeOffset now)
    {
        var site = options();
        var alert = SpendMessages.Forgotten(site.Site, [.. forgotten.Select(t => $"{InventoryText.Word(t.Kind)} {t.Id}")], forgotten.Sum(t => t.MonthUsd), now);
        database.Write(transaction =>
        {
            Outbox.Add(transaction, alert, OutageAlerts.Everybody(site));
            OnceTold.Save(transaction, Told, now);
        });
        outbox.Wake();
    }

    [LoggerMessage(1171, LogLevel.Warning, "what lies at the provider could not be seen: {Reason}")]
    private static partial void NotSeen(ILogger log, string reason);

    [LoggerMessage(1172, LogLevel.Warning, "Droplet {Id} was off, not needed and paid for: destroyed; it is made again from its snapshot when it is needed")]
    private static partial void Destroyed(ILogger log, string id);
}
