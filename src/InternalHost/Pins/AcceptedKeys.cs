using System.Collections.Immutable;

namespace InternalHost.Pins;

/// <summary>The host keys that are accepted now; a reload of the configuration replaces them, and each new connection reads them.</summary>
internal sealed class AcceptedKeys(ImmutableArray<string> keys)
{
    private volatile string[] _keys = [.. keys];

    public IReadOnlyList<string> Now => _keys;

    public void Replace(ImmutableArray<string> keys) => _keys = [.. keys];
}
