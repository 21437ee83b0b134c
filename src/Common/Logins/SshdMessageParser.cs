using System.Net;

namespace Common.Logins;

/// <summary>
/// Reads the text of one sshd message (auth.c <c>auth_log</c>, packet.c). User names and certificate ids are chosen by strangers and
/// may hold spaces and whole forged tails; sshd writes the true address after the name, so what follows the name is read from the
/// right end, and a reading counts only if everything behind it is well formed.
/// </summary>
/// <example>
/// <c>Accepted publickey for alice from 192.0.2.7 port 40000 ssh2: ED25519 SHA256:Xspp...</c><br/>
/// <c>Failed password for invalid user a from 1.2.3.4 port 5 ssh2 from 192.0.2.7 port 40000 ssh2</c>
/// </example>
[PureCore]
internal static class SshdMessageParser
{
    private const string Preauth = " [preauth]";

    public static SshdMessage Parse(string message)
    {
        var text = message.AsSpan().TrimEnd("\r\n");
        text = text.EndsWith(Preauth, StringComparison.Ordinal) ? text[..^Preauth.Length] : text;
        return Accepted(text) ?? Partial(text) ?? Failed(text) ?? InvalidUser(text) ?? TooMany(text) ?? Dropped(text) ?? DisconnectReceived(text) ?? Ended(text) ?? (SshdMessage?)PamClosed(text) ?? new SshdMessage.Other();
    }

    /// <summary><c>Accepted METHOD for USER from ADDR port N ssh2[: KEY]</c>; not <c>Accepted key TYPE ... found at FILE</c>.</summary>
    private static SshdMessage.Accepted? Accepted(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        if (!scan.Literal("Accepted ") || !scan.Word(out var method) || !scan.Literal(" for "))
        {
            return null;
        }

        var (reading, ambiguous) = Read(scan.Rest);
        return new SshdMessage.Accepted(method.ToString(), reading.User, reading.From, reading.Key, ambiguous);
    }

    private static SshdMessage.Partial? Partial(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        if (!scan.Literal("Partial ") || !scan.Word(out var method) || !scan.Literal(" for "))
        {
            return null;
        }

        var reading = Read(scan.Rest).Reading;
        return new SshdMessage.Partial(method.ToString(), reading.User, reading.From, reading.Key);
    }

    private static SshdMessage.Failed? Failed(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        if (!scan.Literal("Failed ") || !scan.Word(out var method) || !scan.Literal(" for "))
        {
            return null;
        }

        var unknown = scan.Literal("invalid user ");
        var reading = Read(scan.Rest).Reading;
        return new SshdMessage.Failed(method.ToString(), reading.User, unknown, reading.From);
    }

    private static (Reading Reading, bool Ambiguous) Read(ReadOnlySpan<char> rest)
    {
        var candidates = Candidates(rest);
        var sound = candidates.Where(c => c.WellFormed).ToList();
        return (sound.Count, candidates.Count) switch
        {
            (1, _) => (sound[0], sound[0].From is null),
            // The last is the one sshd wrote, unless a certificate's id is the forgery: either way somebody is up to something.
            ( > 1, _) => (sound[^1], true),
            (0, > 0) => (candidates[^1], true),
            _ => (new Reading(rest.ToString(), null, null, false), true),
        };
    }

    /// <summary>Every way to cut <c>USER from ADDR port N ssh2[: KEY]</c> in two, left to right.</summary>
    private static List<Reading> Candidates(ReadOnlySpan<char> rest)
    {
        var found = new List<Reading>();
        for (var at = 0; Next(rest, at) is var next and >= 0; at = next + 1)
        {
            if (Tail(rest[..next], rest[next..]) is { } reading)
            {
                found.Add(reading);
            }
        }

        return found;
    }

    private static int Next(ReadOnlySpan<char> text, int start)
    {
        var at = text[start..].IndexOf(" from ");
        return at < 0 ? -1 : start + at;
    }

    private static Reading? Tail(ReadOnlySpan<char> user, ReadOnlySpan<char> tail)
    {
        var scan = new TextScan(tail);
        if (!scan.Literal(" from ") || !scan.Word(out var address) || !scan.Literal(" port ") || !scan.Number(out var port) || !scan.Literal(" ssh2"))
        {
            return null;
        }

        var peer = PeerText.Parse(address, port);
        if (peer is null && address is not "UNKNOWN")
        {
            return null;
        }

        if (scan.AtEnd)
        {
            return new Reading(user.ToString(), peer, null, true);
        }

        if (!scan.Literal(": "))
        {
            return null;
        }

        var key = PublicKeyText.Parse(scan.Rest);
        return new Reading(user.ToString(), peer, key, key is not null);
    }

    /// <summary><c>Invalid user NAME from ADDR port N</c></summary>
    private static SshdMessage.InvalidUser? InvalidUser(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        if (!scan.Literal("Invalid user ") || scan.Rest.LastIndexOf(" from ") is var at && at < 0)
        {
            return null;
        }

        return new SshdMessage.InvalidUser(scan.Rest[..at].ToString(), PeerText.Last(scan.Rest[at..], out _));
    }

    /// <summary><c>error: maximum authentication attempts exceeded for [invalid user ]NAME from ADDR port N ssh2</c></summary>
    private static SshdMessage.Failed? TooMany(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        if (!scan.Literal("error: maximum authentication attempts exceeded for ") && !scan.Literal("maximum authentication attempts exceeded for "))
        {
            return null;
        }

        var unknown = scan.Literal("invalid user ");
        var reading = Read(scan.Rest).Reading;
        return new SshdMessage.Failed("", reading.User, unknown, reading.From);
    }

    /// <summary><c>drop connection #2 from [192.0.2.7]:40046 on [198.51.100.1]:49022 penalty: failed authentication</c>, or <c>past MaxStartups</c></summary>
    private static SshdMessage.Dropped? Dropped(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        if (!scan.Literal("drop connection #") || !scan.Number(out _) || !scan.Literal(" from [") || scan.Rest.IndexOf("]:") is var end && end < 0)
        {
            return null;
        }

        var address = scan.Rest[..end];
        var port = new TextScan(scan.Rest[(end + 2)..]);
        if (!port.Number(out var number) || !port.Literal(" on ") || !port.Word(out _))
        {
            return null;
        }

        return new SshdMessage.Dropped(PeerText.Parse(address, number), port.Rest.TrimStart(' ').ToString());
    }

    /// <summary><c>Received disconnect from ADDR port N:11: free text of the client</c>: here the address is at the left.</summary>
    private static SshdMessage.Ended? DisconnectReceived(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        return scan.Literal("Received disconnect from ") && scan.Word(out var address)
            && scan.Literal(" port ") && scan.Number(out var port) && scan.Literal(":")
                ? new SshdMessage.Ended(ConnectionEnd.DisconnectReceived, null, PeerText.Parse(address, port))
                : null;
    }

    /// <summary><c>Disconnected from [[authenticating |invalid ]user NAME ]ADDR port N</c></summary>
    private static SshdMessage.Ended? Ended(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        var how = scan.Literal("Connection closed by ") ? ConnectionEnd.Closed
            : scan.Literal("Connection reset by ") ? ConnectionEnd.Reset
            : scan.Literal("Disconnected from ") ? ConnectionEnd.Disconnected
            : ConnectionEnd.Unknown;
        if (how == ConnectionEnd.Unknown)
        {
            return null;
        }

        var trying = scan.Literal("invalid user ") || scan.Literal("authenticating user ");
        var named = trying || scan.Literal("user ");
        var peer = PeerText.Last(scan.Rest, out var before);
        return new SshdMessage.Ended(how, named ? before.TrimEnd(' ').ToString() : null, peer, trying);
    }

    private static SshdMessage.PamSessionClosed? PamClosed(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        return scan.Literal("pam_unix(sshd:session): session closed for user ") ? new SshdMessage.PamSessionClosed(scan.Rest.ToString()) : null;
    }

    private sealed record Reading(string User, IPEndPoint? From, PublicKey? Key, bool WellFormed);
}

/// <summary>A peer as sshd prints it: <c>ADDR port N</c>, always numeric.</summary>
[PureCore]
internal static class PeerText
{
    /// <summary>The peer at the right end of a text; <paramref name="before"/> is what stands in front of it.</summary>
    public static IPEndPoint? Last(ReadOnlySpan<char> text, out ReadOnlySpan<char> before)
    {
        before = text;
        var at = text.LastIndexOf(" port ");
        if (at < 0)
        {
            return null;
        }

        var port = new TextScan(text[(at + " port ".Length)..]);
        var start = text[..at].LastIndexOf(' ') + 1;
        before = text[..start];
        return port.Number(out var number) && port.AtEnd ? Parse(text[start..at], number) : null;
    }

    public static IPEndPoint? Parse(ReadOnlySpan<char> address, ulong port)
    {
        var scope = address.IndexOf('%');
        // TryParse alone also takes "1" and "0x7f.1"; sshd prints whole numeric addresses only.
        return address.IndexOfAny('.', ':') >= 0
            && IPAddress.TryParse(scope < 0 ? address : address[..scope], out var ip)
            && port is > 0 and <= ushort.MaxValue
                ? new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, (int)port)
                : null;
    }
}
