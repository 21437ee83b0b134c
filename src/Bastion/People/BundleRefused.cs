namespace Bastion.People;

/// <summary>A bundle that is not put in force. Nothing has been changed.</summary>
/// <param name="refusal">One of <see cref="Common.Sync.SyncRefusal"/>'s words.</param>
/// <param name="text">Why, for people; no secret is in it.</param>
internal sealed class BundleRefused(string refusal, string text) : Exception(text)
{
    public string Refusal { get; } = refusal;
}
