namespace InternalHost.Simulation;

/// <summary>A stream of chance (xorshift64*): the same seed gives the same draws.</summary>
internal sealed class Chance(ulong seed)
{
    private ulong _state = Mix(seed);

    /// <summary>A seed for something within this world, so that two things never share a stream.</summary>
    public static ulong Derive(ulong seed, ulong of) => Mix(seed ^ Mix(of + 1));

    public void Reseed(ulong seed) => _state = Mix(seed);

    /// <summary>Uniform in [0, 1).</summary>
    public double Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return ((_state * 0x2545F4914F6CDD1D) >> 11) * (1.0 / (1UL << 53));
    }

    public bool Hit(double probability) => Next() < probability;

    public int Below(int limit) => (int)(Next() * limit);

    public double Between(double from, double to) => from + (Next() * (to - from));

    public TimeSpan Seconds(double from, double to) => TimeSpan.FromSeconds(Between(from, to));

    /// <summary>Spread evenly over orders of magnitude: many short ones, a few very long.</summary>
    public TimeSpan LogSeconds(double from, double to) => TimeSpan.FromSeconds(Math.Exp(Between(Math.Log(from), Math.Log(to))));

    public T Pick<T>(ReadOnlySpan<T> of) => of[Below(of.Length)];

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        x ^= x >> 31;
        return x == 0 ? 1 : x;
    }
}
