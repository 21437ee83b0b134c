namespace InternalHost.Cloud.Making;

/// <summary>It cannot go on; the message says why, and what to do. What was made so far is written down.</summary>
internal sealed class MakingException(string message, Exception? inner = null) : Exception(message, inner);
