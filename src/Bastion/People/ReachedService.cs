using Bastion.Configuration;
using Common.Journal;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bastion.People;

/// <summary>Keeps who reached which service: the firewall's notes, with the names that uids and ports have now.</summary>
internal sealed partial class ReachedService(AgentOptions options, Database database, string boot, TimeProvider time, ILogger<ReachedService> logger, string file = ReachedService.DefaultFile) : BackgroundService
{
    /// <summary>Written by bastion-reach.service.</summary>
    public const string DefaultFile = "/run/bastion-reach/reached.json";

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <summary>The notes were read then; what is read once need not be again.</summary>
    private DateTime _written;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                Look();
                await Task.Delay(LookEvery, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private void Look()
    {
        try
        {
            if (File.Exists(file) && File.GetLastWriteTimeUtc(file) is var written && written != _written)
            {
                Keep(ReachedSet.Parse(File.ReadAllBytes(file)), new DateTimeOffset(written));
                _written = written;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            // The notes stay for ten minutes: the next look has them again.
            NotKept(logger, e.GetType().Name);
        }
    }

    private void Keep(IReadOnlyCollection<ReachedNote> notes, DateTimeOffset read)
    {
        if (notes.Count == 0)
        {
            return;
        }

        var names = File.ReadLines("/etc/passwd").Select(l => l.Split(':')).Where(f => f.Length > 2).DistinctBy(f => f[2]).ToDictionary(f => f[2], f => f[0], StringComparer.Ordinal);
        database.Write(transaction =>
        {
            foreach (var note in notes)
            {
                var uid = note.Uid.ToString(System.Globalization.CultureInfo.InvariantCulture);
                var site = options.Sites.FirstOrDefault(s => s.Bundle.Services.Any(b => b.Port == note.Port));
                var service = site?.Bundle.Services.First(b => b.Port == note.Port).Name;
                ReachedStore.Add(transaction, boot, note.Uid, new Reached(read - note.Ago, names.GetValueOrDefault(uid, $"uid {uid}"), site?.Label, service, note.Port));
            }

            return true;
        });
    }

    [LoggerMessage(702, LogLevel.Warning, "who reached which service is not written down now: {Problem}")]
    private static partial void NotKept(ILogger logger, string problem);
}
