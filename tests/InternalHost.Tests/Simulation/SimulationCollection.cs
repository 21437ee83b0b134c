namespace InternalHost.Tests.Simulation;

/// <summary>After all others and by themselves: they keep every processor busy for long, and tests with real sockets must not starve.</summary>
[CollectionDefinition(nameof(SimulationCollection), DisableParallelization = true)]
public sealed class SimulationCollection;
