using System.Net;
using System.Net.Sockets;
using Common;
using Common.Time;
using InternalHost.Wan.Probes;

namespace InternalHost.Wan.Detection;

/// <summary>What a public address says about the way out, or what has to be asked first.</summary>
internal enum EgressFinding
{
    Unknown = 0,

    /// <summary>The uplink leaves by itself.</summary>
    Own = 1,

    /// <summary>It leaves by the other uplink.</summary>
    Others = 2,

    /// <summary>Ask the other uplink now, then again.</summary>
    AskOther = 3,

    /// <summary>Nothing that can be said.</summary>
    Unclear = 4,
}

/// <summary>
/// Remembers which public addresses each uplink was seen with, and tells from one more whether it leaves by itself. An address is an
/// uplink's own once it was seen there while the other uplink showed another: so addresses that a carrier's NAT hands out by turns are
/// all known in time, and the metered uplink is asked only about an address that is new.
/// </summary>
/// <remarks>Where both uplinks show one address that is neither's own, nobody can say who left by whom: the primary is held to have
/// left by the backup (a false "down" costs cents, a false "up" the way in), of the backup nothing is said.</remarks>
[PureCore]
internal sealed class EgressBook
{
    /// <summary>What was seen of the other uplink in this time was seen at once.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    /// <summary>Providers give addresses to others after a while.</summary>
    private static readonly TimeSpan OwnFor = TimeSpan.FromHours(24);

    /// <summary>Addresses kept for each uplink; the oldest goes first.</summary>
    private const int Most = 32;

    private readonly Page _primary = new();
    private readonly Page _backup = new();

    /// <summary>Last seen of this uplink, of any family; null: never.</summary>
    public PublicAddress? Last(UplinkName uplink) => PageOf(uplink).Last;

    /// <summary>It was seen with an address of this family before.</summary>
    public bool Knows(UplinkName uplink, AddressFamily family) => PageOf(uplink).Looked(family).Seen is not null;

    public void Note(UplinkName uplink, PublicAddress seen) => PageOf(uplink).Note(seen);

    /// <summary>The uplink was asked, and no source answered.</summary>
    public void NoteSilence(UplinkName uplink, AddressFamily family, Instant at) => PageOf(uplink).NoteSilence(family, at);

    /// <param name="seen">Noted already.</param>
    public EgressFinding Judge(UplinkName uplink, PublicAddress seen)
    {
        var (own, other) = (PageOf(uplink), PageOf(uplink == UplinkName.Primary ? UplinkName.Backup : UplinkName.Primary));
        var (isOwn, isOthers) = (own.Owns(seen.Address, seen.At), other.Owns(seen.Address, seen.At));
        if (isOwn != isOthers)
        {
            own.Renew(seen);
            return isOwn ? EgressFinding.Own : seen.IsFirm ? EgressFinding.Others : EgressFinding.Unclear;
        }

        var look = other.Looked(seen.Address.AddressFamily);
        return !seen.IsFirm ? EgressFinding.Unclear
            : !(look.At is { } at && seen.At - at <= Fresh) ? EgressFinding.AskOther
            : look.Silent || !look.Seen!.IsFirm ? WithoutOther(seen, look.Seen)
            : Compare(uplink, own, seen, other, look.Seen);
    }

    /// <summary>One address answers here and nothing there at the same moment: two lines, but nothing to be remembered.</summary>
    private static EgressFinding WithoutOther(PublicAddress seen, PublicAddress? others) =>
        others is not null && Same(seen.Address, others.Address) ? EgressFinding.Unclear : EgressFinding.Own;

    private static EgressFinding Compare(UplinkName uplink, Page own, PublicAddress seen, Page other, PublicAddress others)
    {
        if (Same(seen.Address, others.Address))
        {
            return uplink == UplinkName.Primary ? EgressFinding.Others : EgressFinding.Unclear;
        }

        // Two addresses side by side may be one carrier's pool: not the same now, but no proof for later.
        if (!Neighbours(seen.Address, others.Address))
        {
            Learn(own, seen, other);
            Learn(other, others, own);
        }

        return EgressFinding.Own;
    }

    /// <summary>What is one's own never becomes the other's beside it: the line may have changed between two looks.</summary>
    private static void Learn(Page own, PublicAddress seen, Page other)
    {
        if (!other.Owns(seen.Address, seen.At))
        {
            own.Own(seen);
        }
    }

    private Page PageOf(UplinkName uplink) => uplink == UplinkName.Primary ? _primary : _backup;

    /// <summary>IPv6: a /64 is one customer's, and hosts change their address in it daily.</summary>
    private static bool Same(IPAddress a, IPAddress b) => Key(a).Equals(Key(b));

    private static IPAddress Key(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? Cut(address, 8) : address;

    private static bool Neighbours(IPAddress a, IPAddress b) =>
        a.AddressFamily == AddressFamily.InterNetwork && b.AddressFamily == AddressFamily.InterNetwork && Cut(a, 3).Equals(Cut(b, 3));

    private static IPAddress Cut(IPAddress address, int bytes)
    {
        var cut = address.GetAddressBytes();
        cut.AsSpan(bytes).Clear();
        return new IPAddress(cut);
    }

    /// <summary>What is known of one uplink.</summary>
    private sealed class Page
    {
        private readonly Dictionary<IPAddress, Instant> _own = [];
        private readonly Dictionary<AddressFamily, Look> _looks = [];

        public PublicAddress? Last { get; private set; }

        public Look Looked(AddressFamily family) => _looks.GetValueOrDefault(family);

        public void Note(PublicAddress seen)
        {
            Last = seen;
            _looks[seen.Address.AddressFamily] = new Look(seen.At, Silent: false, seen);
        }

        public void NoteSilence(AddressFamily family, Instant at) => _looks[family] = new Look(at, Silent: true, Looked(family).Seen);

        public bool Owns(IPAddress address, Instant at) => _own.TryGetValue(Key(address), out var seen) && at - seen <= OwnFor;

        public void Renew(PublicAddress seen)
        {
            if (_own.ContainsKey(Key(seen.Address)))
            {
                Own(seen);
            }
        }

        public void Own(PublicAddress seen)
        {
            _own[Key(seen.Address)] = seen.At;
            if (_own.Count > Most)
            {
                _own.Remove(_own.MinBy(o => o.Value).Key);
            }
        }
    }

    /// <param name="At">Null: never.</param>
    /// <param name="Seen">The last address; also under silence.</param>
    private readonly record struct Look(Instant? At, bool Silent, PublicAddress? Seen);
}
