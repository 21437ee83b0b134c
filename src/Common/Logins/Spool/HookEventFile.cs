using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;

namespace Common.Logins.Spool;

/// <summary>
/// Reads one file of the hook (infra/bastion/hook): <c>bastion-hook 1 boot=UUID pid=N monitor=N ticks=N evicted=N,N</c>, a newline, and the
/// environment that PAM gave it, NUL behind each value. Names and values in it may be anybody's: nothing is guessed.
/// </summary>
[PureCore]
internal static class HookEventFile
{
    /// <summary>The hook cuts the environment here; then what stands at its end, PAM's own values, is missing.</summary>
    public const int LongestEnvironment = 64 * 1024;
    public const int LongestHeader = 4 * 1024;

    private const string Magic = "bastion-hook 1 boot=";

    /// <summary>Shown for an account that the file does not tell.</summary>
    private const string NotKnown = "?";

    /// <param name="name"><c>BOOT.PID.TICKS</c>; must agree with what the file says.</param>
    /// <returns>The event, or why it is none.</returns>
    public static (HookEvent? Event, string? Problem) Read(string name, ReadOnlySpan<byte> file)
    {
        var end = file.IndexOf((byte)'\n');
        if (end < 0 || end > LongestHeader)
        {
            return (null, file.IsEmpty ? "empty" : "half written");
        }

        if (Header.Read(Encoding.Latin1.GetString(file[..end])) is not { } header || header.Name != name)
        {
            return (null, "not the hook's");
        }

        var environment = file[(end + 1)..];
        var cut = environment.Length >= LongestEnvironment;
        if (!cut && (environment.IsEmpty || environment[^1] != 0))
        {
            return (null, "half written");
        }

        var values = Values.Read(environment);
        return cut || values.Last("PAM_TYPE") == "open_session" ? (Event(header, values, cut), null) : (null, "not the open of a session");
    }

    private static HookEvent Event(Header header, Values values, bool cut)
    {
        var service = values.Last("PAM_SERVICE") ?? "";
        // Cut off: the log may know, and then it is sshd's.
        var kind = service.Length == 0 ? LoginKind.Ssh : Kind(service);
        var login = new Login(
            kind,
            service,
            values.Last("PAM_USER") ?? NotKnown,
            Peer(values.Last("SSH_CONNECTION")),
            AuthInfo.Read(values.Last("SSH_AUTH_INFO_0") ?? ""),
            // PAM puts its own values in once, and sshd too: a second one was put there by somebody.
            cut || values.Twice || values.Last("PAM_USER") is null)
        {
            By = kind is LoginKind.Su or LoginKind.Sudo ? values.Last("PAM_RUSER") : null,
            Tty = kind == LoginKind.Ssh ? null : values.Last("PAM_TTY"),
            Sources = LoginSources.Hook,
            Evicted = header.Evicted.Length,
        };
        return new HookEvent(header.Name, header.Boot, header.Monitor, login, header.Evicted);
    }

    private static LoginKind Kind(string service) => service switch
    {
        "sshd" => LoginKind.Ssh,
        "login" or "remote" => LoginKind.Console,
        "su" or "su-l" or "runuser" or "runuser-l" => LoginKind.Su,
        "sudo" or "sudo-i" => LoginKind.Sudo,
        _ => LoginKind.Unknown,
    };

    /// <summary><c>CLIENT PORT SERVER PORT</c>, numeric; not PAM_RHOST, which may be a name that the peer's own DNS says.</summary>
    private static IPEndPoint? Peer(string? connection)
    {
        var scan = new TextScan(connection);
        return scan.Word(out var address) && scan.Literal(" ") && scan.Number(out var port) && scan.Literal(" ") ? PeerText.Parse(address, port) : null;
    }

    private sealed record Header(string Boot, int Pid, int Monitor, ulong Ticks, ImmutableArray<int> Evicted)
    {
        public string Name => string.Create(CultureInfo.InvariantCulture, $"{Boot}.{Pid}.{Ticks}");

        public static Header? Read(string line)
        {
            var scan = new TextScan(line);
            return scan.Literal(Magic) && scan.Word(out var boot) && Guid.TryParseExact(boot, "D", out _)
                && scan.Literal(" pid=") && Pid(ref scan, out var pid)
                && scan.Literal(" monitor=") && Pid(ref scan, out var monitor)
                && scan.Literal(" ticks=") && scan.Number(out var ticks)
                && scan.Literal(" evicted=") && List(scan.Rest) is { } evicted
                    ? new Header(boot.ToString(), pid, monitor, ticks, evicted)
                    : null;

            static bool Pid(ref TextScan scan, out int pid)
            {
                var ok = scan.Number(out var number) && number <= int.MaxValue;
                pid = ok ? (int)number : 0;
                return ok;
            }
        }

        private static ImmutableArray<int>? List(ReadOnlySpan<char> text)
        {
            var pids = ImmutableArray.CreateBuilder<int>();
            foreach (var range in text.Split(','))
            {
                if (int.TryParse(text[range], NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                {
                    pids.Add(pid);
                }
                else if (!text.IsEmpty)
                {
                    return null;
                }
            }

            return pids.ToImmutable();
        }
    }

    /// <summary>The variables that concern a login.</summary>
    private sealed class Values
    {
        private static readonly string[] Wanted =
            ["PAM_TYPE", "PAM_SERVICE", "PAM_USER", "PAM_RUSER", "PAM_TTY", "SSH_CONNECTION", "SSH_AUTH_INFO_0"];

        private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);

        public bool Twice { get; private set; }

        public string? Last(string name) => _last.GetValueOrDefault(name);

        public static Values Read(ReadOnlySpan<byte> environment)
        {
            var values = new Values();
            while (environment.IndexOf((byte)0) is var end and >= 0)
            {
                values.Take(environment[..end]);
                environment = environment[(end + 1)..];
            }

            return values;
        }

        private void Take(ReadOnlySpan<byte> variable)
        {
            var equals = variable.IndexOf((byte)'=');
            if (equals > 0 && Encoding.Latin1.GetString(variable[..equals]) is var name && Wanted.Contains(name))
            {
                Twice |= !_last.TryAdd(name, "");
                _last[name] = LogBytes.Decode(variable[(equals + 1)..]);
            }
        }
    }
}
