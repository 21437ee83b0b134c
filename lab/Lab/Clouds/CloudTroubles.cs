using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Lab.Clouds;

/// <summary>The troubles that wait for a stand-in's next requests, by what is asked for.</summary>
internal sealed class CloudTroubles
{
    public const string Portal = "<!DOCTYPE html><html><body>Welcome to the hotel<br></body></html>";

    private readonly ConcurrentDictionary<string, ConcurrentQueue<CloudTrouble>> _waiting = new(StringComparer.Ordinal);

    public void Add(string request, ReadOnlySpan<CloudTrouble> troubles)
    {
        var queue = _waiting.GetOrAdd(request, _ => new());
        foreach (var trouble in troubles)
        {
            queue.Enqueue(trouble);
        }
    }

    /// <summary>Null: it is answered as it should be.</summary>
    public CloudTrouble? Next(string request) => _waiting.TryGetValue(request, out var queue) && queue.TryDequeue(out var next) ? next : null;

    /// <summary>What happens to a reply on its way. True: the connection is cut, and nothing is left to be answered.</summary>
    public static async Task<bool> CutAsync(HttpContext context, CloudTrouble? trouble, string reply, TimeProvider time)
    {
        switch (trouble)
        {
            case CloudTrouble.LoseReply:
                context.Abort();
                return true;
            case CloudTrouble.HalfReply:
                context.Response.ContentLength = Encoding.UTF8.GetByteCount(reply);
                await context.Response.WriteAsync(reply[..(reply.Length / 2)]);
                await context.Response.Body.FlushAsync();
                context.Abort();
                return true;
            case CloudTrouble.Slow slow:
                await Task.Delay(slow.By, time, context.RequestAborted);
                return false;
            default:
                return false;
        }
    }
}
