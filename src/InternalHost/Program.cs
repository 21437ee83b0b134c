using InternalHost.Cli;

// ssh waits for this one: nothing else may be loaded before it.
if (args is ["handover", var socketPath])
{
    return HandoverCommand.Run(socketPath);
}

return await CommandTree.RunAsync(args, Console.Out, Console.Error);
