using System.Globalization;
using Common;

namespace Bastion.People;

/// <summary>Moments in a bundle: ISO 8601, UTC.</summary>
[PureCore]
internal static class BundleTime
{
    /// <summary>Null: no moment.</summary>
    public static DateTimeOffset? Parse(string text) =>
        text.EndsWith('Z') && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) && text.Contains('T')
            ? at : null;
}
