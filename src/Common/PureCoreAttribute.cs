namespace Common;

/// <summary>
/// Marks a decision that touches nothing: no file, socket, process, clock, chance or log. A test reads the compiled code of every
/// marked type and fails on such a reference.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class PureCoreAttribute : Attribute;
