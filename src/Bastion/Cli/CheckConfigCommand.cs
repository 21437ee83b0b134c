using System.CommandLine;
using Bastion.Configuration;
using Common.Configuration;
using Common.Hosting;

namespace Bastion.Cli;

/// <summary><c>bastion check-config FILE</c>: every mistake at once.</summary>
internal static class CheckConfigCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "The settings to look at; nothing is changed or started." };
        var command = new Command("check-config", "Tells every mistake in the agent's settings at once.") { file };
        TeachingHelp.AddTo(
            command,
            $$"""
            Each mistake is a line: key, value (secrets masked) and reason, separated by tabs.
            Exit code 0: none; 2: some.

            A whole file:
              {
                "site": "home",                          first word of every message
                "vm": "bastion-home",                    this VM's name in the provider's app
                "log": "journal",                        or the path of sshd's log file
                "identities": [                          whose key is whose
                  {"fingerprint": "SHA256:...", "role": "person", "name": "alice", "device": "phone"},
                  {"fingerprint": "SHA256:...", "role": "site", "name": "home"},
                  {"fingerprint": "SHA256:...", "role": "maintenance", "name": "keeper"}
                ],
                "sms": {"account": "AC...", "key_name": "SK...", "secret_file": "/run/credentials/...",
                        "from": "+1...", "to": ["+1..."]},
                "telegram": {"chat": "123456789", "secret_file": "/run/credentials/..."},
                "mail": {"host": "smtp.example.net", "user": "home", "secret_file": "/run/credentials/...",
                         "from": "home@example.net", "to": ["alice@example.net"]},   also: webhook
                "order": ["telegram", "sms", "mail"],    the next one when nothing is confirmed in 60 s
                "quiet": "23:00-07:00", "time_zone": "Europe/Berlin",
                "agent_port": {{AgentOptions.DefaultAgentPort}},                     on 127.0.0.1
                "sshd_ports": [49022, 443],
                "state_directory": "{{AgentOptions.DefaultStateDirectory}}",
                "nologin_path": "{{AgentOptions.DefaultNologinPath}}",  exists while people are kept out
                "revoked_keys": "/...",                  sshd's RevokedKeys, where there is no PAM
                "dead_man": {"after": "20m"},            nobody for so long: off; left out: never
                "allow": [{"cidr": "203.0.113.0/24", "users": ["alice"], "keys": ["SHA256:..."], "reason": "office",
                           "created_by": "alice", "expires": "2026-12-21"}],   recorded and not pushed
                "private": false                         true: sshd runs as our own user
              }
            """);
        command.SetAction(result => Check(result.GetRequiredValue(file).FullName, result.InvocationConfiguration.Output));
        return command;
    }

    private static int Check(string path, TextWriter output)
    {
        try
        {
            AgentSettingsFile.Load(path);
            output.WriteLine($"{path}: good");
            return ExitCode.Good;
        }
        catch (ConfigurationException e)
        {
            foreach (var error in e.Errors)
            {
                output.WriteLine(error.ToLine());
            }

            return ExitCode.BadInput;
        }
    }
}
