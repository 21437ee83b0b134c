using System.Net.Security;
using System.Text;

namespace Common.Alerts.Mail;

/// <summary>A reply of the server: its number, and its lines without it.</summary>
internal sealed record SmtpReply(int Code, IReadOnlyList<string> Lines)
{
    public bool Ok => Code is >= 200 and < 400;

    public bool Offers(string extension) =>
        Lines.Any(l => l.Equals(extension, StringComparison.OrdinalIgnoreCase) || l.StartsWith(extension + " ", StringComparison.OrdinalIgnoreCase));

    /// <summary><c>AUTH PLAIN LOGIN</c> among the offers.</summary>
    public bool OffersAuth(string mechanism) => Lines.Any(l =>
        l.StartsWith("AUTH", StringComparison.OrdinalIgnoreCase) && l.Split(' ', '=').Contains(mechanism, StringComparer.OrdinalIgnoreCase));
}

/// <summary>Lines to and from a mail server, bounded (RFC 5321 4.5.3.1).</summary>
internal sealed class SmtpConnection(Stream stream) : IAsyncDisposable
{
    private const int LongestLine = 2048;
    private const int MostLines = 100;

    private readonly byte[] _buffer = new byte[LongestLine];
    private Stream _stream = stream;
    private int _start;
    private int _end;

    /// <exception cref="InvalidDataException">Not a reply of a mail server.</exception>
    public async Task<SmtpReply> ReadAsync(CancellationToken ct)
    {
        var lines = new List<string>();
        while (lines.Count < MostLines)
        {
            var line = await LineAsync(ct);
            if (line.Length < 3 || !int.TryParse(line[..3], out var code) || code < 200 || (line.Length > 3 && line[3] is not (' ' or '-')))
            {
                throw new InvalidDataException("not a reply of a mail server");
            }

            lines.Add(line.Length > 4 ? line[4..] : "");
            if (line.Length == 3 || line[3] == ' ')
            {
                return new SmtpReply(code, lines);
            }
        }

        throw new InvalidDataException("a reply of too many lines");
    }

    public async Task<SmtpReply> AskAsync(string command, CancellationToken ct)
    {
        if (command.AsSpan().IndexOfAny('\r', '\n') >= 0)
        {
            throw new InvalidDataException("a command of two lines");
        }

        await WriteAsync(command + "\r\n", ct);
        return await ReadAsync(ct);
    }

    public async Task WriteAsync(string text, CancellationToken ct)
    {
        await _stream.WriteAsync(Encoding.ASCII.GetBytes(text), ct);
        await _stream.FlushAsync(ct);
    }

    /// <summary>From here on by TLS. What was said in clear after the server's go-ahead is not the server's word.</summary>
    /// <exception cref="InvalidDataException">Somebody put lines in front of the TLS.</exception>
    public async Task SecureAsync(SslClientAuthenticationOptions options, CancellationToken ct)
    {
        if (_start != _end)
        {
            throw new InvalidDataException("words in clear after STARTTLS");
        }

        var tls = new SslStream(_stream, leaveInnerStreamOpen: false);
        _stream = tls;
        await tls.AuthenticateAsClientAsync(options, ct);
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task<string> LineAsync(CancellationToken ct)
    {
        while (true)
        {
            var end = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = Encoding.ASCII.GetString(_buffer, _start, end).TrimEnd('\r');
                _start += end + 1;
                return line;
            }

            Compact();
            var read = _end == _buffer.Length
                ? throw new InvalidDataException("a line too long for a mail server")
                : await _stream.ReadAsync(_buffer.AsMemory(_end), ct);
            _end += read > 0 ? read : throw new EndOfStreamException();
        }
    }

    private void Compact()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
    }
}
