using System.Collections.Immutable;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;

namespace Bastion.Sessions;

/// <summary>The open sessions once the log has been read up to now. What cannot be known is never "nobody".</summary>
internal sealed class PresentSessions(LoginService logins, SessionBook book, TimeProvider time)
{
    private static readonly TimeSpan CatchUpFor = TimeSpan.FromSeconds(2);

    /// <summary>Why logins cannot be seen; null while they can.</summary>
    public string? Trouble => logins.Trouble;

    /// <summary>Site accounts included. Null: not known.</summary>
    public async Task<ImmutableArray<OpenSession>?> NowAsync(CancellationToken ct) => await IsCaughtUpAsync(ct) ? book.Now() : null;

    private async Task<bool> IsCaughtUpAsync(CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(CatchUpFor, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            await logins.CatchUpAsync(both.Token);
            return logins.Trouble is null;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
