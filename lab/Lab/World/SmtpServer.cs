using System.Collections.Concurrent;
using System.Net.Security;
using System.Text;

namespace Lab.World;

/// <summary>A mail as it was taken.</summary>
/// <param name="Secure">It came by TLS.</param>
public sealed record TakenMail(string From, IReadOnlyList<string> To, string Data, bool Secure, string? User);

/// <summary>How the server behaves.</summary>
public sealed record SmtpBehaviour
{
    public bool OffersStartTls { get; init; } = true;

    public bool Implicit { get; init; }

    /// <summary>What it takes, in this order; empty: none.</summary>
    public string Auth { get; init; } = "PLAIN LOGIN";

    public string? User { get; init; } = "home";

    public string? Password { get; init; } = "correct";

    /// <summary>Its answer to a command that begins so, instead of the good one: <c>RCPT TO:&lt;eve</c> to <c>550 no</c>. <c>EOM</c>: the end of a message; empty reply: the line is cut; <c>hang</c>: none.</summary>
    public IReadOnlyDictionary<string, string> Instead { get; init; } = new Dictionary<string, string>();

    /// <summary>Said in clear behind the go-ahead for TLS, as somebody in between would.</summary>
    public string? Injected { get; init; }
}

/// <summary>A submission server: STARTTLS or implicit TLS, AUTH PLAIN and LOGIN, one mail after the other (RFC 5321, 6409).</summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private readonly TcpLoop _loop;
    private readonly LabCertificate _certificate;

    private SmtpServer(LabCertificate certificate)
    {
        _certificate = certificate;
        _loop = new TcpLoop((stream, ct) => new Session(this, stream, Behaviour, ct).RunAsync());
    }

    public SmtpBehaviour Behaviour { get; set; } = new();

    public ConcurrentQueue<TakenMail> Taken { get; } = new();

    /// <summary>Every line of every client.</summary>
    public ConcurrentQueue<string> Commands { get; } = new();

    public int Port => _loop.EndPoint.Port;

    /// <param name="certificate">Not disposed here.</param>
    public static SmtpServer Start(LabCertificate certificate) => new(certificate);

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    private sealed class Session(SmtpServer server, Stream stream, SmtpBehaviour behaviour, CancellationToken ct)
    {
        private Stream _stream = stream;
        private bool _secure;
        private string? _user;
        private string _from = "";
        private List<string> _to = [];

        public async Task RunAsync()
        {
            if (behaviour.Implicit)
            {
                await SecureAsync();
            }

            if (!await SayAsync("CONNECT", "220 lab ESMTP"))
            {
                return;
            }

            while (await LineAsync() is { } line && await AnswerAsync(line))
            {
            }
        }

        /// <summary>False: the line is cut.</summary>
        private async Task<bool> AnswerAsync(string line)
        {
            server.Commands.Enqueue(line);
            switch (line.Split(' ')[0].ToUpperInvariant())
            {
                case "EHLO":
                    var offers = new[] { "lab", "SIZE 1000000" }
                        .Concat(behaviour.OffersStartTls && !_secure ? ["STARTTLS"] : [])
                        .Concat(behaviour.Auth.Length > 0 && (_secure || !behaviour.OffersStartTls) ? [$"AUTH {behaviour.Auth}"] : []).ToList();
                    return await SayAsync(line, string.Join("\r\n", offers.Select((o, i) => $"250{(i == offers.Count - 1 ? ' ' : '-')}{o}")));
                case "STARTTLS":
                    var said = await SayAsync(line, "220 go ahead" + (behaviour.Injected is { } more ? "\r\n" + more : ""));
                    await SecureAsync();
                    return said;
                case "AUTH":
                    return await AuthenticateAsync(line);
                case "MAIL":
                    _from = Address(line);
                    return await SayAsync(line, "250 ok");
                case "RCPT":
                    if (!behaviour.Instead.Keys.Any(k => line.StartsWith(k, StringComparison.Ordinal)))
                    {
                        _to.Add(Address(line));
                    }

                    return await SayAsync(line, "250 ok");
                case "DATA":
                    return await SayAsync(line, "354 end with a dot") && (behaviour.Instead.ContainsKey("DATA") || await TakeAsync());
                case "QUIT":
                    await SayAsync(line, "221 bye");
                    return false;
                default:
                    return await SayAsync(line, "502 not known");
            }
        }

        private async Task<bool> AuthenticateAsync(string line)
        {
            var words = line.Split(' ');
            string user, password;
            if (words[1] == "PLAIN")
            {
                var parts = Encoding.UTF8.GetString(Convert.FromBase64String(words[2])).Split('\0');
                (user, password) = (parts[1], parts[2]);
            }
            else
            {
                await WriteAsync("334 VXNlcm5hbWU6");
                user = Encoding.UTF8.GetString(Convert.FromBase64String(await LineAsync() ?? ""));
                await WriteAsync("334 UGFzc3dvcmQ6");
                password = Encoding.UTF8.GetString(Convert.FromBase64String(await LineAsync() ?? ""));
            }

            var good = (user, password) == (behaviour.User, behaviour.Password);
            _user = good ? user : null;
            return await SayAsync(line, good ? "235 welcome" : "535 5.7.8 no");
        }

        private async Task<bool> TakeAsync()
        {
            var data = new StringBuilder();
            while (await LineAsync() is { } line)
            {
                if (line == ".")
                {
                    var refused = behaviour.Instead.TryGetValue("EOM", out var instead) && instead is ['4' or '5', ..];
                    if (!refused)
                    {
                        server.Taken.Enqueue(new TakenMail(_from, _to, data.ToString(), _secure, _user));
                    }

                    _to = [];
                    return await SayAsync("EOM", "250 queued");
                }

                data.Append(line.StartsWith("..", StringComparison.Ordinal) ? line[1..] : line).Append("\r\n");
            }

            return false;
        }

        private async Task<bool> SayAsync(string command, string reply)
        {
            var instead = behaviour.Instead.FirstOrDefault(i => command.StartsWith(i.Key, StringComparison.Ordinal)).Value;
            switch (instead)
            {
                case "":
                    return false;
                case "hang":
                    await Task.Delay(Timeout.Infinite, ct);
                    return false;
                default:
                    await WriteAsync(instead ?? reply);
                    return true;
            }
        }

        private async Task SecureAsync()
        {
            var tls = new SslStream(_stream);
            _stream = tls;
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = server._certificate.Certificate }, ct);
            _secure = true;
        }

        private Task WriteAsync(string text) => _stream.WriteAsync(Encoding.ASCII.GetBytes(text + "\r\n"), ct).AsTask();

        private async Task<string?> LineAsync()
        {
            var line = new List<byte>();
            var one = new byte[1];
            while (await _stream.ReadAsync(one, ct) > 0)
            {
                if (one[0] == '\n')
                {
                    return Encoding.ASCII.GetString([.. line]).TrimEnd('\r');
                }

                line.Add(one[0]);
            }

            return null;
        }

        private static string Address(string line) => line[(line.IndexOf('<') + 1)..line.IndexOf('>')];
    }
}
