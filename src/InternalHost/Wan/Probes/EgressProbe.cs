using System.Net.Sockets;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Probes;

/// <summary>
/// Whether an uplink leaves by itself: its public address, held against what is known of the other uplink's. The other one is asked only
/// about an address that nobody knows yet; it is metered.
/// </summary>
internal sealed class EgressProbe(UplinkOptions primary, UplinkOptions backup, PublicAddressClient client, UplinkFamilies families, TimeProvider time)
{
    /// <summary>A finding that comes after the limit is not heard.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly EgressBook _book = new();

    /// <summary>Where the world saw this uplink last; null: never found out.</summary>
    public PublicAddress? Last(UplinkName uplink)
    {
        lock (_gate)
        {
            return _book.Last(uplink);
        }
    }

    /// <summary>Answered: by itself. Refuted: by the other uplink. Lost: not found out.</summary>
    /// <param name="limit">Half of it is kept for the other uplink, or what the first half left over.</param>
    public async Task<ProbeOutcome> AskAsync(UplinkName uplink, AddressFamily family, TimeSpan limit, CancellationToken giveUp)
    {
        var begun = Instant.Now(time);
        try
        {
            if (!client.IsConfigured || await LookAsync(uplink, family, limit / 2, giveUp) is not { } seen)
            {
                return ProbeOutcome.Lost;
            }

            var finding = Judge(uplink, seen);
            if (finding == EgressFinding.AskOther)
            {
                await LookAsync(uplink == UplinkName.Primary ? UplinkName.Backup : UplinkName.Primary, seen.Address.AddressFamily, limit - (Instant.Now(time) - begun) - Margin, giveUp);
                finding = Judge(uplink, seen);
            }

            return finding switch
            {
                EgressFinding.Own => ProbeOutcome.Answered,
                EgressFinding.Others => ProbeOutcome.Refuted,
                _ => ProbeOutcome.Lost,
            };
        }
        catch (OperationCanceledException)
        {
            return ProbeOutcome.Lost;
        }
    }

    private async Task<PublicAddress?> LookAsync(UplinkName name, AddressFamily family, TimeSpan limit, CancellationToken ct)
    {
        var seen = AskedBy(name, family) is { } by ? await client.FindAsync(name == UplinkName.Primary ? primary : backup, by, limit, ct) : null;
        lock (_gate)
        {
            if (seen is not null)
            {
                _book.Note(name, seen);
            }

            if (seen?.Address.AddressFamily != family)
            {
                _book.NoteSilence(name, family, Instant.Now(time));
            }
        }

        return seen;
    }

    /// <summary>
    /// The family to ask by, so that an address of <paramref name="family"/> is seen; null: there will be none. What has IPv6 only has an
    /// IPv4 address for the world if its network has a NAT64, which shows when it is asked by IPv6.
    /// </summary>
    private AddressFamily? AskedBy(UplinkName name, AddressFamily family)
    {
        var has = families.Of(name == UplinkName.Primary ? primary : backup);
        if (has.IsEmpty || has.Contains(family))
        {
            return family;
        }

        lock (_gate)
        {
            return has[0] == AddressFamily.InterNetworkV6 && _book.Knows(name, family) ? has[0] : null;
        }
    }

    private EgressFinding Judge(UplinkName uplink, PublicAddress seen)
    {
        lock (_gate)
        {
            return _book.Judge(uplink, seen);
        }
    }
}
