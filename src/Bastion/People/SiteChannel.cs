using Common.Alerts;

namespace Bastion.People;

/// <summary>A channel of one of several sites: each has an account, a chat and a secret of its own, so each a name of its own (<c>sms@home</c>).</summary>
internal class SiteChannel(string site, IMessageChannel channel) : IMessageChannel
{
    public string Name { get; } = NameOf(channel.Name, site);

    public Repetition Repetition => channel.Repetition;

    public static string NameOf(string channel, string site) => $"{channel}@{site}";

    public static IMessageChannel Of(string site, IMessageChannel channel) => channel is ITrackedChannel tracked ? new Tracked(site, tracked) : new SiteChannel(site, channel);

    public Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct) => channel.SendAsync(message, ct);

    private sealed class Tracked(string site, ITrackedChannel channel) : SiteChannel(site, channel), ITrackedChannel
    {
        public Task<DeliveryStatus> QueryAsync(string providerId, CancellationToken ct) => channel.QueryAsync(providerId, ct);

        public Task<string?> FindAsync(OutgoingMessage message, CancellationToken ct) => channel.FindAsync(message, ct);
    }
}
