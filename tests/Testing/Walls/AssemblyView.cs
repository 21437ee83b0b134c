using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Testing.Walls;

/// <summary>One compiled assembly, read without loading it.</summary>
internal sealed class AssemblyView : IDisposable
{
    private readonly PEReader _file;

    public AssemblyView(string path)
    {
        _file = new PEReader(File.OpenRead(path));
        Reader = _file.GetMetadataReader();
        Name = Reader.GetString(Reader.GetAssemblyDefinition().Name);
        Types = Reader.TypeDefinitions.ToDictionary(FullName);
    }

    public MetadataReader Reader { get; }

    public string Name { get; }

    /// <summary>Every type defined here, nested ones as <c>Outer/Inner</c>.</summary>
    public Dictionary<string, TypeDefinitionHandle> Types { get; }

    public void Dispose() => _file.Dispose();

    public byte[] Body(MethodDefinition method) =>
        method.RelativeVirtualAddress == 0 ? [] : _file.GetMethodBody(method.RelativeVirtualAddress).GetILBytes() ?? [];

    public string FullName(TypeDefinitionHandle handle)
    {
        var type = Reader.GetTypeDefinition(handle);
        var name = Reader.GetString(type.Name);
        return type.GetDeclaringType() is { IsNil: false } outer ? $"{FullName(outer)}/{name}"
            : Reader.GetString(type.Namespace) is { Length: > 0 } space ? $"{space}.{name}" : name;
    }

    public string FullName(TypeReferenceHandle handle)
    {
        var type = Reader.GetTypeReference(handle);
        var name = Reader.GetString(type.Name);
        return type.ResolutionScope.Kind == HandleKind.TypeReference ? $"{FullName((TypeReferenceHandle)type.ResolutionScope)}/{name}"
            : Reader.GetString(type.Namespace) is { Length: > 0 } space ? $"{space}.{name}" : name;
    }

    /// <summary>The types marked with <paramref name="attribute"/>, and all that is nested in them: closures, iterators, cases.</summary>
    public IEnumerable<TypeDefinitionHandle> MarkedBy(string attribute) =>
        Types.Values.Where(t => IsMarked(t, attribute)).SelectMany(WithNested);

    /// <summary>Every type that a type, field or method signature names.</summary>
    public ImmutableArray<string> Named(TypeDefinitionHandle handle)
    {
        var type = Reader.GetTypeDefinition(handle);
        var names = new SignatureNames(this);
        var found = type.GetFields().Select(f => Reader.GetFieldDefinition(f).DecodeSignature(names, null)).ToList();
        foreach (var method in type.GetMethods().Select(m => Reader.GetMethodDefinition(m).DecodeSignature(names, null)))
        {
            found.Add(method.ReturnType);
            found.AddRange(method.ParameterTypes);
        }

        return [.. found.SelectMany(n => n).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The type that a token of this assembly stands for, generic arguments first stripped; null for a type parameter or array.</summary>
    public string? TypeOf(EntityHandle token) => token.Kind switch
    {
        HandleKind.TypeDefinition => FullName((TypeDefinitionHandle)token),
        HandleKind.TypeReference => FullName((TypeReferenceHandle)token),
        HandleKind.TypeSpecification => Reader.GetTypeSpecification((TypeSpecificationHandle)token).DecodeSignature(new SignatureNames(this), null).FirstOrDefault(),
        _ => null,
    };

    private IEnumerable<TypeDefinitionHandle> WithNested(TypeDefinitionHandle type) =>
        Reader.GetTypeDefinition(type).GetNestedTypes().SelectMany(WithNested).Prepend(type);

    private bool IsMarked(TypeDefinitionHandle type, string attribute) =>
        Reader.GetTypeDefinition(type).GetCustomAttributes().Any(a => AttributeType(Reader.GetCustomAttribute(a)) == attribute);

    private string? AttributeType(CustomAttribute attribute) => attribute.Constructor.Kind == HandleKind.MemberReference
        ? TypeOf(Reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent)
        : FullName(Reader.GetMethodDefinition((MethodDefinitionHandle)attribute.Constructor).GetDeclaringType());
}

/// <summary>Signatures as the flat list of type names in them, the generic type before its arguments.</summary>
internal sealed class SignatureNames(AssemblyView assembly) : ISignatureTypeProvider<ImmutableArray<string>, object?>
{
    public ImmutableArray<string> GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => [assembly.FullName(handle)];

    public ImmutableArray<string> GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => [assembly.FullName(handle)];

    public ImmutableArray<string> GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    public ImmutableArray<string> GetGenericInstantiation(ImmutableArray<string> genericType, ImmutableArray<ImmutableArray<string>> typeArguments) =>
        [.. genericType, .. typeArguments.SelectMany(a => a)];

    public ImmutableArray<string> GetFunctionPointerType(MethodSignature<ImmutableArray<string>> signature) =>
        [.. signature.ReturnType, .. signature.ParameterTypes.SelectMany(p => p)];

    public ImmutableArray<string> GetModifiedType(ImmutableArray<string> modifier, ImmutableArray<string> unmodifiedType, bool isRequired) => unmodifiedType;

    public ImmutableArray<string> GetPrimitiveType(PrimitiveTypeCode typeCode) => [];

    public ImmutableArray<string> GetGenericMethodParameter(object? genericContext, int index) => [];

    public ImmutableArray<string> GetGenericTypeParameter(object? genericContext, int index) => [];

    public ImmutableArray<string> GetArrayType(ImmutableArray<string> elementType, ArrayShape shape) => elementType;

    public ImmutableArray<string> GetByReferenceType(ImmutableArray<string> elementType) => elementType;

    public ImmutableArray<string> GetPinnedType(ImmutableArray<string> elementType) => elementType;

    public ImmutableArray<string> GetPointerType(ImmutableArray<string> elementType) => elementType;

    public ImmutableArray<string> GetSZArrayType(ImmutableArray<string> elementType) => elementType;
}
