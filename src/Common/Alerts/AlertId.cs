using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Common.Alerts;

/// <summary>
/// The short name of an alert, <c>7F3K</c>: read aloud, typed into <c>alerts explain</c>, and looked for at the gateway. The same
/// seed always gives the same id, so that an alert raised twice (a crash between journal and outbox) is one alert.
/// </summary>
/// <remarks>
/// Four characters are 810,000 ids. Two different alerts may meet in one: the outbox then gives the later one a longer id of the
/// same seed (<see cref="Outbox"/>), so that neither is lost. Put the site and the host into the seed: both programs share one sender.
/// </remarks>
[PureCore]
public static class AlertId
{
    public const int Length = 4;
    public const int LongLength = 6;

    /// <summary>No 0 O, 1 I L; no U, so that no word comes out.</summary>
    public const string Alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <param name="seed">What happened, in words that will be the same next time: <c>home/outage-17/open</c>.</param>
    public static string From(string seed, int length = Length)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(seed));
        var number = BinaryPrimitives.ReadUInt64LittleEndian(hash);
        var id = new char[length];
        for (var i = 0; i < length; i++)
        {
            id[i] = Alphabet[(int)(number % (ulong)Alphabet.Length)];
            number /= (ulong)Alphabet.Length;
        }

        return new string(id);
    }
}
