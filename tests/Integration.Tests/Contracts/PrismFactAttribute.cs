namespace Integration.Tests.Contracts;

/// <summary>Runs where the description is at hand and npm could install Prism.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PrismFactAttribute : FactAttribute
{
    /// <param name="description">One of <see cref="OfficialDescription"/>.</param>
    public PrismFactAttribute(string description)
    {
        if (Prism.Missing(description) is { } reason)
        {
            Skip = reason;
        }
    }
}

/// <inheritdoc cref="PrismFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PrismTheoryAttribute : TheoryAttribute
{
    /// <param name="description">One of <see cref="OfficialDescription"/>.</param>
    public PrismTheoryAttribute(string description)
    {
        if (Prism.Missing(description) is { } reason)
        {
            Skip = reason;
        }
    }
}
