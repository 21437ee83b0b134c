using System.Collections.Immutable;

namespace Common.Configuration;

/// <summary>What a configuration file holds, with the line of everything. No types: each reader decides what its text means.</summary>
public abstract record ConfigurationNode(int Line)
{
    /// <param name="Quoted">Written in quotes: an empty text is then meant.</param>
    public sealed record Scalar(string Text, bool Quoted, int Line) : ConfigurationNode(Line);

    public sealed record List(ImmutableArray<ConfigurationNode> Items, int Line) : ConfigurationNode(Line);

    public sealed record Map(ImmutableArray<Entry> Entries, int Line) : ConfigurationNode(Line)
    {
        /// <summary>What stands at <c>uplinks.primary.address</c>; null where nothing does.</summary>
        public ConfigurationNode? At(string path) => Walk(path).Value;

        /// <summary>The line of that key, or of the nearest section above it.</summary>
        public int LineOf(string path) => Walk(path).Line;

        private (ConfigurationNode? Value, int Line) Walk(string path)
        {
            var (node, line) = ((ConfigurationNode?)this, Line);
            foreach (var key in path.Split('.'))
            {
                var entry = (node as Map)?.Entries.FirstOrDefault(e => e.Key == key);
                (node, line) = (entry?.Value, entry?.Line ?? line);
            }

            return (node, line);
        }
    }

    public sealed record Entry(string Key, ConfigurationNode Value, int Line);

    /// <summary>A key with nothing after it.</summary>
    public bool IsEmpty => this is Scalar { Text.Length: 0, Quoted: false };

    /// <summary>For error messages.</summary>
    public string Kind => this switch
    {
        Map => "a section",
        List => "a list",
        _ => "a value",
    };

    public string Shown => this is Scalar scalar ? scalar.Text : "";
}
