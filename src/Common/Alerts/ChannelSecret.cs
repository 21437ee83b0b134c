using System.Text;

namespace Common.Alerts;

/// <summary>A secret that a channel needs, in a file of its own; read at each request, so that a replaced one counts at once.</summary>
internal static class ChannelSecret
{
    /// <summary>Longest: a webhook's address.</summary>
    private const int MaxBytes = 4096;

    /// <exception cref="HttpRequestException">It cannot be read. The words name no value and no path.</exception>
    public static async Task<string> ReadAsync(string file, CancellationToken ct)
    {
        try
        {
            await using var stream = File.OpenRead(file);
            var bytes = new byte[MaxBytes + 1];
            var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
            var secret = Encoding.UTF8.GetString(bytes, 0, length).Trim();
            return length <= MaxBytes && secret.Length > 0 && secret.All(c => c is > ' ' and <= '~')
                ? secret
                : throw Unusable("the secret's file must hold one word, the secret, and nothing else");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable("the secret's file cannot be read", e);
        }
    }

    /// <summary>A kind of "no answer": nothing has left.</summary>
    public static HttpRequestException Unusable(string words, Exception? inner = null) => new(HttpRequestError.UserAuthenticationError, words, inner);
}
