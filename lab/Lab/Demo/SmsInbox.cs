using System.Threading.Channels;
using Lab.World;

namespace Lab.Demo;

/// <summary>The owner's phone: every message as it reaches the gateway, told at once, kept until somebody looks for it.</summary>
internal sealed class SmsInbox
{
    private readonly Channel<Sms> _arrivals = Channel.CreateUnbounded<Sms>(new() { SingleReader = true });
    private readonly List<Sms> _kept = [];

    /// <summary>Called by the gateway.</summary>
    public void Take(GatewayMessage message) => _arrivals.Writer.TryWrite(new Sms(Kind(message.Body), message));

    /// <summary>The next message of this kind; others are kept for whoever waits for them.</summary>
    public async Task<Sms> UntilAsync(string kind, CancellationToken ct)
    {
        while (true)
        {
            if (_kept.Find(m => m.Kind == kind) is { } found)
            {
                _kept.Remove(found);
                return found;
            }

            _kept.Add(await _arrivals.Reader.ReadAsync(ct));
        }
    }

    /// <summary>By the words that people read: open, stuck, login, closed; other.</summary>
    private static string Kind(string body) => body switch
    {
        _ when body.Contains(" LOGIN", StringComparison.Ordinal) => "login",
        _ when body.Contains("way in open", StringComparison.Ordinal) => "open",
        _ when body.Contains("NOT open", StringComparison.Ordinal) => "stuck",
        _ when body.Contains("way in closed", StringComparison.OrdinalIgnoreCase) => "closed",
        _ => "other",
    };
}

internal sealed record Sms(string Kind, GatewayMessage Message)
{
    public string Text => Message.Body;
}
