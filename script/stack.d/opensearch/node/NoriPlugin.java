import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.ko.KoreanAnalyzer;
import org.apache.lucene.analysis.ko.KoreanNumberFilter;
import org.apache.lucene.analysis.ko.KoreanPartOfSpeechStopFilter;
import org.apache.lucene.analysis.ko.KoreanReadingFormFilter;
import org.apache.lucene.analysis.ko.KoreanTokenizer;
import org.apache.lucene.analysis.ko.KoreanTokenizer.DecompoundMode;
import org.apache.lucene.analysis.ko.POS;
import org.apache.lucene.analysis.ko.dict.UserDictionary;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.analysis.AbstractIndexAnalyzerProvider;
import org.opensearch.index.analysis.AbstractTokenFilterFactory;
import org.opensearch.index.analysis.AbstractTokenizerFactory;
import org.opensearch.index.analysis.AnalyzerProvider;
import org.opensearch.index.analysis.TokenFilterFactory;
import org.opensearch.index.analysis.TokenizerFactory;
import org.opensearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.opensearch.plugins.AnalysisPlugin;
import org.opensearch.plugins.Plugin;

/**
 * Korean, under the names and with the settings of OpenSearch's analysis-nori, on the same Lucene classes. Missing: user dictionaries
 * from a file.
 */
public class NoriPlugin extends Plugin implements AnalysisPlugin {
  private static UserDictionary dictionary(Settings settings) {
    List<String> rules = settings.getAsList("user_dictionary_rules", List.of());
    if (rules.isEmpty()) {
      return null;
    }
    try {
      return UserDictionary.open(new StringReader(String.join("\n", rules)));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static DecompoundMode mode(Settings settings) {
    return DecompoundMode.valueOf(settings.get("decompound_mode", "discard").toUpperCase(Locale.ROOT));
  }

  private static Set<POS.Tag> tags(Settings settings) {
    List<String> named = settings.getAsList("stoptags", null);
    if (named == null) {
      return KoreanPartOfSpeechStopFilter.DEFAULT_STOP_TAGS;
    }
    Set<POS.Tag> tags = EnumSet.noneOf(POS.Tag.class);
    named.forEach(tag -> tags.add(POS.resolveTag(tag)));
    return tags;
  }

  private static AnalysisProvider<TokenFilterFactory> filter(Function<Settings, Function<TokenStream, TokenStream>> make) {
    return (index, environment, name, settings) -> {
      Function<TokenStream, TokenStream> filter = make.apply(settings);
      return new AbstractTokenFilterFactory(index, name, settings) {
        @Override
        public TokenStream create(TokenStream input) {
          return filter.apply(input);
        }
      };
    };
  }

  @Override
  public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
    return Map.of(
        "nori_part_of_speech", filter(settings -> {
          Set<POS.Tag> tags = tags(settings);
          return input -> new KoreanPartOfSpeechStopFilter(input, tags);
        }),
        "nori_readingform", filter(settings -> KoreanReadingFormFilter::new),
        "nori_number", filter(settings -> KoreanNumberFilter::new));
  }

  @Override
  public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
    return Map.of("nori_tokenizer", (index, environment, name, settings) -> {
      UserDictionary dictionary = dictionary(settings);
      DecompoundMode mode = mode(settings);
      boolean discard = settings.getAsBoolean("discard_punctuation", true);
      return new AbstractTokenizerFactory(index, settings, name) {
        @Override
        public Tokenizer create() {
          return new KoreanTokenizer(KoreanTokenizer.DEFAULT_TOKEN_ATTRIBUTE_FACTORY, dictionary, mode, false, discard);
        }
      };
    });
  }

  @Override
  public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
    return Map.of("nori", (index, environment, name, settings) -> {
      KoreanAnalyzer analyzer = new KoreanAnalyzer(dictionary(settings), mode(settings), tags(settings), false);
      return new AbstractIndexAnalyzerProvider<KoreanAnalyzer>(index, name, settings) {
        @Override
        public KoreanAnalyzer get() {
          return analyzer;
        }
      };
    });
  }
}
