using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;

namespace Testing.Walls;

/// <summary>
/// Reads compiled code and finds where a type marked [PureCore] can reach the world: by itself, by its closures and iterators, or by
/// whatever of our own code it calls, however deep.
/// </summary>
public static class PureCores
{
    private const string Mark = "Common.PureCoreAttribute";

    /// <summary>Marked types of the assembly at <paramref name="path"/>; assemblies of ours that it calls are looked for beside it.</summary>
    public static IReadOnlyList<string> Marked(string path)
    {
        using var assembly = new AssemblyView(path);
        return [.. assembly.MarkedBy(Mark).Select(assembly.FullName).Where(n => !n.Contains('/'))];
    }

    /// <summary>One line for each way out: <c>Core.Method -> Helper.Method -> System.IO.File.Exists</c>. Empty when the wall stands.</summary>
    public static IReadOnlyList<string> Breaches(string path, Func<string, bool>? only = null)
    {
        using var world = new World(path);
        var walk = new Walk(world);
        foreach (var type in world.Root.MarkedBy(Mark).Where(t => only is null || only(world.Root.FullName(t))))
        {
            walk.Signatures(world.Root, type);
            foreach (var method in world.Root.Reader.GetTypeDefinition(type).GetMethods())
            {
                walk.From(world.Root, method);
            }
        }

        return [.. walk.Breaches.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>The assembly and those of ours around it.</summary>
    private sealed class World : IDisposable
    {
        private readonly List<AssemblyView> _all;

        public World(string path)
        {
            Root = new AssemblyView(path);
            var common = Path.Combine(Path.GetDirectoryName(path)!, "Common.dll");
            _all = Root.Name == "Common" || !File.Exists(common) ? [Root] : [Root, new AssemblyView(common)];
        }

        public AssemblyView Root { get; }

        public (AssemblyView Assembly, TypeDefinitionHandle Type)? Find(string type)
        {
            foreach (var assembly in _all)
            {
                if (assembly.Types.TryGetValue(type, out var handle))
                {
                    return (assembly, handle);
                }
            }

            return null;
        }

        public void Dispose() => _all.ForEach(a => a.Dispose());
    }

    private sealed class Walk(World world)
    {
        private readonly HashSet<(AssemblyView, MethodDefinitionHandle)> _seen = [];
        private readonly Stack<string> _path = new();

        public List<string> Breaches { get; } = [];

        public void Signatures(AssemblyView assembly, TypeDefinitionHandle type)
        {
            foreach (var named in assembly.Named(type).Where(BannedForCores.Type))
            {
                Breaches.Add($"{assembly.FullName(type)} names {named}");
            }
        }

        public void From(AssemblyView assembly, MethodDefinitionHandle handle)
        {
            if (!_seen.Add((assembly, handle)))
            {
                return;
            }

            var method = assembly.Reader.GetMethodDefinition(handle);
            _path.Push($"{assembly.FullName(method.GetDeclaringType())}.{assembly.Reader.GetString(method.Name)}");
            CheckKind(assembly, method);
            foreach (var (code, token) in IlTokens.Of(assembly.Body(method)))
            {
                Follow(assembly, method, code, token);
            }

            _path.Pop();
        }

        private void CheckKind(AssemblyView assembly, MethodDefinition method)
        {
            if (method.Attributes.HasFlag(MethodAttributes.PinvokeImpl))
            {
                Breach("the system's library");
            }

            if (assembly.Reader.GetTypeDefinition(method.GetDeclaringType()).Attributes.HasFlag(TypeAttributes.Interface) && method.RelativeVirtualAddress == 0)
            {
                Breach("whoever stands behind this port");
            }
        }

        private void Follow(AssemblyView assembly, MethodDefinition within, OpCode code, EntityHandle token)
        {
            var (type, member) = Target(assembly, token);
            if (type is null)
            {
                return;
            }

            if (member is null ? BannedForCores.Type(type) : BannedForCores.Member(type, member))
            {
                Breach(member is null ? type : $"{type}.{member}");
            }
            else if (world.Find(type) is var (owner, definition))
            {
                if (code == OpCodes.Stsfld && !type.Contains('<') && assembly.Reader.GetString(within.Name) != ".cctor")
                {
                    Breach($"writes the static field {type}.{member}");
                }

                Enter(owner, definition, code, member);
            }
        }

        /// <summary>A member of ours: its overloads (by name is enough), what runs once before it, and for compiler-made types all of it.</summary>
        private void Enter(AssemblyView owner, TypeDefinitionHandle type, OpCode code, string? member)
        {
            var reader = owner.Reader;
            var whole = code == OpCodes.Newobj && reader.GetString(reader.GetTypeDefinition(type).Name).StartsWith('<');
            foreach (var method in reader.GetTypeDefinition(type).GetMethods())
            {
                var name = reader.GetString(reader.GetMethodDefinition(method).Name);
                if (whole || name == member || name == ".cctor")
                {
                    From(owner, method);
                }
            }
        }

        private static (string? Type, string? Member) Target(AssemblyView assembly, EntityHandle token)
        {
            var reader = assembly.Reader;
            switch (token.Kind)
            {
                case HandleKind.MethodSpecification:
                    return Target(assembly, reader.GetMethodSpecification((MethodSpecificationHandle)token).Method);
                case HandleKind.MemberReference:
                    var reference = reader.GetMemberReference((MemberReferenceHandle)token);
                    return (assembly.TypeOf(reference.Parent), reader.GetString(reference.Name));
                case HandleKind.MethodDefinition:
                    var method = reader.GetMethodDefinition((MethodDefinitionHandle)token);
                    return (assembly.FullName(method.GetDeclaringType()), reader.GetString(method.Name));
                case HandleKind.FieldDefinition:
                    var field = reader.GetFieldDefinition((FieldDefinitionHandle)token);
                    return (assembly.FullName(field.GetDeclaringType()), reader.GetString(field.Name));
                default:
                    return (assembly.TypeOf(token), null);
            }
        }

        private void Breach(string what) => Breaches.Add($"{string.Join(" -> ", _path.Reverse())} -> {what}");
    }
}
