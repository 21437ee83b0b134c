using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Text;

namespace Lab.World;

/// <summary>The far end of log forwarding: syslog over TLS, a line each (RFC 6587, non-transparent framing). A second port tells whoever asks what has come.</summary>
public sealed class LogReceiver : IAsyncDisposable
{
    private readonly LabCertificate _certificate;
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly TcpLoop _receiving;
    private readonly TcpLoop _asked;

    /// <summary>On the calling thread's network.</summary>
    /// <param name="certificate">Not disposed here.</param>
    /// <param name="ask">Connections here get every line so far, and are closed.</param>
    public LogReceiver(LabCertificate certificate, IPEndPoint at, IPEndPoint ask)
    {
        _certificate = certificate;
        _receiving = new TcpLoop(ReceiveAsync, at);
        _asked = new TcpLoop(async (stream, ct) => await stream.WriteAsync(Encoding.UTF8.GetBytes(string.Join('\n', _lines) + "\n"), ct), ask);
    }

    public IReadOnlyCollection<string> Lines => _lines;

    public async ValueTask DisposeAsync()
    {
        await _receiving.DisposeAsync();
        await _asked.DisposeAsync();
    }

    private async Task ReceiveAsync(Stream stream, CancellationToken ct)
    {
        await using var tls = new SslStream(stream);
        var context = SslStreamCertificateContext.Create(_certificate.Certificate, null, offline: true);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = context }, ct);
        using var reader = new StreamReader(tls);
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            _lines.Enqueue(line);
        }
    }
}
