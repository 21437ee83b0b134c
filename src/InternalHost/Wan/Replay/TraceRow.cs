using System.Collections.Immutable;
using Common;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Replay;

/// <summary>Who a row of a world trace is about (DESIGN 10).</summary>
internal enum TraceTarget
{
    Unknown = 0,
    IspDns = 1,
    DnsA = 2,
    DnsB = 3,
    TlsA = 4,

    /// <summary>Where it is never named it follows <see cref="TlsA"/>.</summary>
    TlsB = 5,
    Http = 6,

    /// <summary>Does not run until it is named.</summary>
    Bastion = 7,

    /// <summary>Down at a loss of a half or more.</summary>
    Carrier = 8,

    /// <summary>At a loss of a half or more the primary leaves by the backup.</summary>
    Egress = 9,

    /// <summary>The other uplink as a whole.</summary>
    Backup = 10,
}

/// <summary>From this moment on, probes to the target fail with this probability and take this long.</summary>
/// <param name="T">Trace seconds in ticks of 100 ns.</param>
/// <param name="RttMs">NaN: as before.</param>
internal readonly record struct TraceRow(long T, TraceTarget Target, double Loss, double RttMs)
{
    /// <summary>From here on a carrier or an egress is taken to be wrong.</summary>
    public const double Half = 0.5;
}

[PureCore]
internal static class TraceTargets
{
    /// <summary>What may stand in the column <c>target</c>.</summary>
    public static readonly ImmutableArray<(string Word, TraceTarget Target)> Words =
    [
        ("isp_dns", TraceTarget.IspDns), ("dns_a", TraceTarget.DnsA), ("dns_b", TraceTarget.DnsB), ("tls_a", TraceTarget.TlsA),
        ("tls", TraceTarget.TlsA), ("tls_b", TraceTarget.TlsB), ("http", TraceTarget.Http), ("bastion", TraceTarget.Bastion),
        ("carrier", TraceTarget.Carrier), ("egress", TraceTarget.Egress), ("backup", TraceTarget.Backup),
    ];

    public static TraceTarget Parse(ReadOnlySpan<char> word)
    {
        foreach (var (known, target) in Words)
        {
            if (word.SequenceEqual(known))
            {
                return target;
            }
        }

        return TraceTarget.Unknown;
    }

    public static string Word(this TraceTarget target) => Words.First(w => w.Target == target).Word;

    /// <summary>The witness of the primary that the target stands for; Unknown for <c>carrier</c> and <c>backup</c>.</summary>
    public static WitnessName Witness(this TraceTarget target) => target switch
    {
        TraceTarget.IspDns => WitnessName.IspDns,
        TraceTarget.DnsA => WitnessName.DnsA,
        TraceTarget.DnsB => WitnessName.DnsB,
        TraceTarget.TlsA => WitnessName.TlsA,
        TraceTarget.TlsB => WitnessName.TlsB,
        TraceTarget.Http => WitnessName.Http,
        TraceTarget.Bastion => WitnessName.Bastion,
        TraceTarget.Egress => WitnessName.Egress,
        _ => WitnessName.Unknown,
    };
}
