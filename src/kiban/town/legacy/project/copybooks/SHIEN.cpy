      *------------------------------------------------------------
      * SHIEN     RECFM=VB (RDW)  347 + 268 * SH-TS-SU  JEF + EBCDIK
      *------------------------------------------------------------
       01  SH-REC.
         03  SH-KIJUN-YMD               PIC 9(08).
         03  SH-SHIEN-NO                PIC 9(10).
         03  SH-RIREKI-NO               PIC S9(03) COMP-3.
         03  SH-KU-CD                   PIC X(03).
         03  SH-ATENA-NO                PIC 9(10).
         03  SH-KUBUN                   PIC X(01).
         03  SH-JOTAI                   PIC X(01).
         03  SH-MOSHIDE-YMD             PIC 9(08).
         03  SH-KARI-FLG                PIC X(01).
         03  SH-KARI-YMD                PIC 9(08).
         03  SH-SOCHI-KAISHI            PIC 9(08).
         03  SH-SOCHI-SHURYO            PIC 9(08).
         03  SH-ENCHO                   PIC S9(03) COMP-3.
         03  SH-YK-ETSURAN              PIC X(01).
         03  SH-YK-GEN                  PIC X(01).
         03  SH-YK-ZEN                  PIC X(01).
         03  SH-YK-HON                  PIC X(01).
         03  SH-YK-ZENHON               PIC X(01).
         03  SH-YK-ZENZENHON            PIC X(01).
         03  SH-ZENJUSHO                PIC X(01).
         03  SH-TOSHO-CD                PIC X(06).
         03  SH-BASHO-CD                PIC X(06).
         03  SH-SOSA-ID                 PIC X(12).
         03  SH-SOSA-YMD                PIC 9(08).
         03  SH-SOSA-JIKOKU             PIC 9(06) COMP.
         03  SH-KAISHI-YMD              PIC 9(08).
         03  SH-SHURYO-YMD              PIC 9(08).
         03  SH-KAGAI.
           05  SH-KG-SU                 PIC 9(01).
           05  SH-KG-KU-CD              PIC X(03).
           05  SH-KG-ATENA              PIC 9(10).
           05  SH-KG-SHIMEI             PIC N(32).
           05  SH-KG-SEINEN             PIC 9(07) COMP-3.
           05  SH-KG-FUSHO              PIC X(01).
           05  SH-KG-HYOKI              PIC N(12).
           05  SH-KG-SEIBETSU           PIC X(01).
           05  SH-KG-JUSHO              PIC N(40).
           05  SH-KG-KANKEI             PIC N(06).
           05  SH-KG-KAISHI-YMD         PIC 9(08).
           05  SH-KG-SHURYO-YMD         PIC 9(08).
         03  SH-TS-SU                   PIC 9(02).
         03  SH-TAISHO OCCURS 0 TO 20 TIMES
             DEPENDING ON SH-TS-SU.
           05  SH-TS-RENBAN             PIC 9(02).
           05  SH-TS-RIREKI             PIC S9(03) COMP-3.
           05  SH-TS-KU-CD              PIC X(03).
           05  SH-TS-KUBUN              PIC X(01).
           05  SH-TS-ATENA              PIC 9(10).
           05  SH-TS-SHIMEI             PIC N(32).
           05  SH-TS-KANA               PIC X(48).
           05  SH-TS-SEINEN             PIC 9(07) COMP-3.
           05  SH-TS-FUSHO              PIC X(01).
           05  SH-TS-HYOKI              PIC N(12).
           05  SH-TS-SEIBETSU           PIC X(01).
           05  SH-TS-KANKEI             PIC N(06).
           05  SH-TS-JUSHO              PIC N(40).
           05  SH-TS-KAISHI-YMD         PIC 9(08).
           05  SH-TS-SHURYO-YMD         PIC 9(08).
