package dev.attune.processor.extract;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.lang.model.element.Element;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.ModuleElement;
import javax.lang.model.element.NestingKind;
import javax.lang.model.element.TypeElement;
import javax.lang.model.util.Elements;

/** Reads how and where a type is declared. */
final class DeclarationReader {

    /** A class of the Vector API: seen by a module exactly if it can compile vector kernels. */
    private static final String VECTOR_CLASS = "jdk.incubator.vector.FloatVector";

    private final Elements elements;

    DeclarationReader(Elements elements) {
        this.elements = elements;
    }

    Declaration read(TypeElement type) {
        List<TypeElement> nesting = nesting(type);
        ModuleElement module = elements.getModuleOf(type);
        return new Declaration(
                elements.getPackageOf(type).getQualifiedName().toString(),
                nesting.stream().map(DeclarationReader::simpleName).collect(Collectors.joining(".")),
                kind(type.getKind()),
                !type.getTypeParameters().isEmpty(),
                outermost(nesting, each -> each.getModifiers().contains(Modifier.PRIVATE)),
                outermost(nesting, DeclarationReader::isInner),
                module.getQualifiedName().toString(),
                elements.getTypeElement(module, VECTOR_CLASS) != null,
                SourcePosition.of(type));
    }

    /** Returns a type and those around it, the outermost first. */
    private static List<TypeElement> nesting(TypeElement type) {
        List<TypeElement> nesting = new ArrayList<>();
        for (Element each = type; each instanceof TypeElement enclosing; each = each.getEnclosingElement()) {
            nesting.addFirst(enclosing);
        }
        return nesting;
    }

    private static Optional<String> outermost(List<TypeElement> nesting, Predicate<TypeElement> condition) {
        return nesting.stream().filter(condition).findFirst().map(DeclarationReader::simpleName);
    }

    private static String simpleName(TypeElement type) {
        return type.getSimpleName().toString();
    }

    /** Only classes can be inner: all other nested types are static, whether they say so or not. */
    private static boolean isInner(TypeElement type) {
        return type.getKind() == ElementKind.CLASS
                && type.getNestingKind() == NestingKind.MEMBER
                && !type.getModifiers().contains(Modifier.STATIC);
    }

    private static String kind(ElementKind kind) {
        return switch (kind) {
            case INTERFACE -> "an interface";
            case CLASS -> "a class";
            case RECORD -> "a record";
            case ENUM -> "an enum";
            case ANNOTATION_TYPE -> "an annotation type";
            default -> kind.toString();
        };
    }
}
