using Common;
using InternalHost.Configuration;

namespace InternalHost.Cloud.Prices;

/// <summary>What one cloud asks in one region, in USD without tax.</summary>
/// <param name="Size">Of the VM that this is about.</param>
/// <param name="IsExact">False: that region or size is not in the table, and this is about right.</param>
/// <param name="VmHour">While it runs, its address included.</param>
/// <param name="OffMonth">A VM that is off and kept; its disk included.</param>
/// <param name="RestMonth">Between outages, as this cloud's VM rests: a disk, or a snapshot.</param>
internal sealed record CloudPrices(string Size, bool IsExact, decimal VmHour, decimal OffMonth, decimal RestMonth)
{
    /// <summary>An address that is kept while nothing uses it.</summary>
    public decimal IdleAddressMonth { get; init; }

    public decimal DiskGbMonth { get; init; }

    public decimal SnapshotGbMonth { get; init; }
}

/// <summary>
/// A small table of list prices, with its day: good for an estimate and for nothing else. It is changed by hand, and says itself when it is old.
/// </summary>
[PureCore]
internal static class PriceTable
{
    public const string Source = "list prices without tax, written down by hand; the word that counts: aws.amazon.com/ec2/pricing/on-demand, digitalocean.com/pricing, twilio.com/sms/pricing";
    public const decimal HoursOfMonth = 730;

    /// <summary>A rented number of Twilio's in the US.</summary>
    public const decimal NumberMonth = 1.15m;

    /// <summary>The disk that Debian's image asks for.</summary>
    public const int DiskGb = 8;

    private const decimal OtherRegions = 1.15m;   // what most regions ask beside the cheapest
    private const decimal PublicAddressHour = 0.005m;
    private const decimal Gp3GbMonth = 0.08m;
    private const decimal EbsSnapshotGbMonth = 0.05m;
    private const decimal DropletSnapshotGbMonth = 0.06m;
    private const decimal DropletVolumeGbMonth = 0.10m;
    private const decimal IdleReservedAddressMonth = 5m;

    /// <summary>What a snapshot of a small Debian takes.</summary>
    private const decimal SnapshotGb = 2m;

    private static readonly TimeSpan OldAfter = TimeSpan.FromDays(365);

    /// <summary>USD an hour in us-east-1.</summary>
    private static readonly Dictionary<string, decimal> Ec2 = new(StringComparer.Ordinal)
    {
        ["t3.nano"] = 0.0052m,
        ["t3.micro"] = 0.0104m,
        ["t3.small"] = 0.0208m,
        ["t3a.nano"] = 0.0047m,
        ["t3a.micro"] = 0.0094m,
        ["t3a.small"] = 0.0188m,
        ["t2.nano"] = 0.0058m,
        ["t2.micro"] = 0.0116m,
    };

    /// <summary>USD a month, the same in every region.</summary>
    private static readonly Dictionary<string, decimal> Droplets = new(StringComparer.Ordinal)
    {
        ["s-1vcpu-512mb-10gb"] = 4m,
        ["s-1vcpu-1gb"] = 6m,
        ["s-1vcpu-2gb"] = 12m,
        ["s-2vcpu-2gb"] = 18m,
    };

    /// <summary>When the prices were written down.</summary>
    public static DateOnly AsOf { get; } = new(2026, 11, 22);

    public static bool IsOld(DateOnly today) => today.DayNumber - AsOf.DayNumber > OldAfter.TotalDays;

    /// <summary>One text to that number: cheap in North America, dear elsewhere.</summary>
    public static decimal Text(string number) => number.StartsWith("+1", StringComparison.Ordinal) ? 0.012m : 0.10m;

    /// <summary>Null: this provider's prices are not ours to know.</summary>
    public static CloudPrices? Of(CloudKind cloud, string region, string size) => cloud switch
    {
        CloudKind.Ec2 => Instance(region, size),
        CloudKind.DigitalOcean => Droplet(size),
        _ => null,
    };

    private static CloudPrices Instance(string region, string size)
    {
        var known = Ec2.TryGetValue(size, out var hour);
        var factor = region == "us-east-1" ? 1m : OtherRegions;
        return new CloudPrices(
            size,
            known && factor == 1m,
            ((known ? hour : Ec2["t3.micro"]) * factor) + PublicAddressHour,
            OffMonth: DiskGb * Gp3GbMonth * factor,
            RestMonth: DiskGb * Gp3GbMonth * factor)
        {
            IdleAddressMonth = PublicAddressHour * HoursOfMonth,
            DiskGbMonth = Gp3GbMonth * factor,
            SnapshotGbMonth = EbsSnapshotGbMonth * factor,
        };
    }

    private static CloudPrices Droplet(string size)
    {
        const decimal billedHours = 672;   // a month is never more than its price: 28 days' worth of hours
        var known = Droplets.TryGetValue(size, out var month);
        month = known ? month : Droplets["s-1vcpu-2gb"];
        return new CloudPrices(size, known, month / billedHours, OffMonth: month, RestMonth: SnapshotGb * DropletSnapshotGbMonth)
        {
            IdleAddressMonth = IdleReservedAddressMonth,
            DiskGbMonth = DropletVolumeGbMonth,
            SnapshotGbMonth = DropletSnapshotGbMonth,
        };
    }
}
