using Common.Journal;
using Common.Logins.Recording;
using Common.Time;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;

namespace InternalHost.Logins;

/// <summary>Asks the bastion about logins that came through the tunnel. What waits is on disk: a restart forgets none.</summary>
internal sealed class TunnelLoginService(Database database, BastionLogins bastion, Action<long, BastionWord> hear, string boot, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (SqliteException)
            {
                // The journal tells of the disk; what waits there still does.
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(Pace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal async Task LookAsync(CancellationToken ct)
    {
        var waiting = database.Read(LoginStore.Awaiting);
        if (waiting.Count == 0)
        {
            return;
        }

        var heard = await bastion.NowAsync(ct);
        foreach (var (seq, record) in waiting)
        {
            // Of an earlier start of the machine: what the bastion says of now is not about it.
            var word = record.Boot != boot ? new BastionWord.Silent() : TunnelLoginRules.Decide(record, heard, Instant.Now(time) - record.At);
            if (word is not null)
            {
                hear(seq, word);
            }
        }
    }
}
